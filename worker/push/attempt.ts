/** One attempt to push a run to its target: a signed request, and what its answer means. */
import { LIMITS, SPANS } from "#protocol/limits";
import { PUSH_PROTOCOL, PushAnswer, type PushFrame, pushId } from "#protocol/push";
import { type EpochMs, toWireTime } from "#protocol/time";
import { makeRunToken } from "../../durable-objects/run-token.ts";
import type { PushOrder, PushOutcome } from "../../durable-objects/work-pool-owner.ts";
import { flowNameOf, pushTarget } from "../db/queries/push-secrets.ts";
import { openPushSecrets } from "./secrets.ts";
import { signaturesOf } from "./sign.ts";
import { pushAddress, refusedAddress } from "./target-address.ts";

export type Send = (url: string, init: RequestInit) => Promise<Response>;

/** Other than these, a refusal is not worth another attempt. */
const RETRIED_STATUS: ReadonlySet<number> = new Set([408, 409, 425, 429]);
/** Characters of the target's own words that are repeated. */
const SAID_CHARS = 300;

/** Never throws for what the target does. */
export async function attemptPush(env: Env, poolName: string, order: PushOrder, send: Send): Promise<PushOutcome> {
  const { ticket } = order;
  const target = await pushTarget(env, poolName);
  if (!target) return final(`Work pool "${poolName}" was deleted.`);
  const address = pushAddress(target.baseJobTemplate, ticket.job_variables);
  if (typeof address === "string") return final(address);
  const refused = refusedAddress(address.url, allowsPrivateTargets(env));
  if (refused !== null) return final(refused);
  if (!target.secrets) {
    return final(`Work pool "${poolName}" has no secret to sign with: sluice work-pool secret ${poolName}`);
  }
  const flowName = ticket.deployment_id === null ? null : await flowNameOf(env, ticket.deployment_id);
  if (flowName === null) return final("The deployment of the run was deleted.");
  const now = Date.now();
  const run = { flowRunId: ticket.flow_run_id, generation: ticket.generation };
  const frame: PushFrame = {
    type: "flow_run.push",
    timestamp: toWireTime(now as EpochMs),
    data: {
      protocol: PUSH_PROTOCOL,
      flow_run_id: ticket.flow_run_id,
      name: ticket.name,
      generation: ticket.generation,
      deployment_id: ticket.deployment_id,
      flow_name: flowName,
      entrypoint: ticket.entrypoint,
      run_token: await makeRunToken(env.SLUICE_ROOT_KEY, run),
      api_url: address.apiUrl,
    },
  };
  const body = JSON.stringify(frame);
  const id = pushId(ticket.flow_run_id, ticket.generation);
  const timestamp = Math.floor(now / 1000);
  const headers = {
    ...address.headers,
    "content-type": "application/json",
    "webhook-id": id,
    "webhook-timestamp": String(timestamp),
    "webhook-signature": await signaturesOf(await openPushSecrets(env, target.secrets), { id, timestamp, body }),
  };
  const signal = AbortSignal.timeout(SPANS.pushAnswerMs);
  const { host } = new URL(address.url);
  try {
    // A redirect could lead where the address itself may not.
    return await judge(await send(address.url, { method: "POST", headers, body, redirect: "manual", signal }), host);
  } catch (error) {
    const said = signal.aborted
      ? `The HTTP target ${host} did not answer within ${SPANS.pushAnswerMs / 1000} s.`
      : `The HTTP target ${host} could not be reached: ${error instanceof Error ? error.message : String(error)}.`;
    return { kind: "failed", status: null, said, isFinal: false, retryAfterMs: null };
  }
}

/** Runs on Cloudflare are pushed to the outside only, unless said otherwise; a server at home calls its neighbours. */
export function allowsPrivateTargets(env: Env): boolean {
  return env.SLUICE_PRIVATE_TARGETS ? env.SLUICE_PRIVATE_TARGETS === "allow" : env.SLUICE_MODE === "embedded";
}

async function judge(response: Response, host: string): Promise<PushOutcome> {
  const { status } = response;
  const text = await firstLine(response);
  if (status === 202) {
    const answer = PushAnswer.safeParse(jsonOf(text));
    return { kind: "accepted", budgetMs: answer.data?.budget_ms ?? null };
  }
  const own = detailOf(text);
  const words = own === "" ? "" : ` and said: ${own.slice(0, SAID_CHARS)}`;
  const advice = status >= 300 && status < 400 ? " Redirects are not followed: give the final URL." : "";
  return {
    kind: "failed",
    status,
    said: `The HTTP target ${host} answered ${status}, not 202${words}${/[.!?]$/.test(words) ? "" : "."}${advice}`,
    isFinal: status < 500 && !RETRIED_STATUS.has(status),
    retryAfterMs: retryAfterMs(response.headers.get("retry-after")),
  };
}

/** The body up to its first line break: a target may keep its answer open for as long as it works. */
async function firstLine(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  if (!reader) return "";
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    text += done ? decoder.decode() : decoder.decode(value, { stream: true });
    const end = text.indexOf("\n");
    if (!done && end < 0 && text.length < LIMITS.pushAnswerBytes) continue;
    if (!done) await reader.cancel().catch(() => undefined);
    return end < 0 ? text : text.slice(0, end);
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A target that says nothing of itself has said enough with its status.
    return {};
  }
}

function detailOf(text: string): string {
  const json = jsonOf(text);
  const detail: unknown = typeof json === "object" && json !== null && "detail" in json ? json.detail : null;
  return typeof detail === "string" ? detail : text.startsWith("{") || text.startsWith("<") ? "" : text.trim();
}

function retryAfterMs(header: string | null): number | null {
  const seconds = header === null || header === "" ? Number.NaN : Number(header);
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1_000 : null;
}

function final(said: string): PushOutcome {
  return { kind: "failed", status: null, said, isFinal: true, retryAfterMs: null };
}
