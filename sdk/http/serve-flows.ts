/** Executes flow runs that a control plane pushes to a URL: a fetch handler for Workers, Node, Bun, Deno and others. */
import { createClient } from "../client/index.ts";
import { isResultStorageChosen } from "../flow/configuration.ts";
import type { Duration } from "../flow/duration.ts";
import { echo } from "../flow/engine/echo.ts";
import { executeFlowRun } from "../flow/engine/execute-flow-run.ts";
import { errorMessage } from "../flow/errors.ts";
import { type AnyFlow, isFlow } from "../flow/flow.ts";
import { controlPlaneStorage } from "../flow/results/control-plane-storage.ts";
import type { ResultStorage } from "../flow/results/storage.ts";
import { LIMITS } from "../protocol/limits.ts";
import { PUSH_PROTOCOL, type PushAnswer, PushFrame, pushId } from "../protocol/push.ts";
import type { EpochMs } from "../protocol/time.ts";
import { budgetMsOf, budgetSpan } from "./budget-span.ts";
import { REPLAY_WINDOW_MS, verifyPush } from "./verify-push.ts";

/** How pushed runs are executed. Everything may be left out. */
export interface ServeFlowsOptions {
  /**
   * What the work pool signs with, as it was shown when it was made; several while it is being changed. Default:
   * `SLUICE_PUSH_SECRET` of the environment, several with commas between.
   */
  readonly secret?: string | readonly string[];
  /** Address of the API. Default: `SLUICE_API_URL`, or else what the pool's job variable `api_url` says. */
  readonly apiUrl?: string;
  /** Key for the API. Default: the token of its own run that each push brings, or else `SLUICE_API_KEY`. */
  readonly key?: string;
  /**
   * How long the platform lets one request work, from its beginning; null for as long as it takes. Before it is over, the
   * run is handed on between two tasks and pushed again. Default: 25 seconds on Workers, null elsewhere.
   */
  readonly budget?: Duration | null;
  /** How long before the end of the budget no task begins any more. Default: a quarter of it, at most 30 seconds. */
  readonly reserve?: Duration;
  /**
   * Where results of tasks are kept, so that a run that goes on in another request finds them. Default: what
   * `configure()` or `SLUICE_RESULTS` says, or else the control plane.
   */
  readonly results?: ResultStorage;
  /** Keeps the platform working after the answer, where it is not in the handler's third argument. */
  readonly waitUntil?: (work: Promise<unknown>) => void;
  /**
   * Whether the answer is kept open until the run has ended, for platforms that freeze whatever has answered. Its first
   * line is sent at once. Default false.
   */
  readonly keepOpen?: boolean;
  /** In place of the global `fetch`, for requests to the control plane. */
  readonly fetch?: typeof fetch;
}

/** What Workers give as the third argument. */
interface ExecutionContextLike {
  waitUntil(work: Promise<unknown>): void;
}

/** Answers a request. `env` and `ctx` are what Workers give; other platforms may leave them out. */
export type FetchHandler = (request: Request, env?: unknown, ctx?: unknown) => Promise<Response>;

/** Messages are known for this long, in milliseconds: a copy with a later time is refused for its time. */
const REMEMBERED_MS = 2 * REPLAY_WINDOW_MS;

/**
 * Makes a handler that executes the runs of these flows which a work pool of the type "http" pushes to it. It verifies
 * each request's signature and time, answers 202 at once, and reports to the control plane by itself. A request that
 * comes twice is executed once.
 *
 * `flows` is a list, or an object such as a module. Throws TypeError when there is no flow among them, for two flows of
 * one name, and for options that cannot be.
 */
export function serveFlows(
  flows: readonly AnyFlow[] | Readonly<Record<string, unknown>>,
  options: ServeFlowsOptions = {},
): FetchHandler {
  const served = byName(Array.isArray(flows) ? flows : Object.values(flows));
  const budgetMs = budgetMsOf(options.budget);
  if (budgetMs !== null) budgetSpan(budgetMs, options.reserve, 0 as EpochMs);
  /** When each message came. */
  const taken = new Map<string, number>();

  return async (request, env, ctx) => {
    const startedAt = Date.now() as EpochMs;
    if (request.method !== "POST") return problem(405, "Runs are pushed by POST.", { allow: "POST" });
    const body = await request.text();
    if (body.length > LIMITS.pushBytes) return problem(413, `The request has more than ${LIMITS.pushBytes} bytes.`);
    const secrets = secretsOf(options.secret ?? setting(env, "SLUICE_PUSH_SECRET"));
    if (secrets.length === 0) return problem(500, "This target has no secret: set SLUICE_PUSH_SECRET.");
    const proof = await verifyPush({ headers: request.headers, body, secrets, nowMs: startedAt });
    if (!proof.ok) return problem(401, proof.reason);
    const push = readPush(body);
    if (typeof push === "string") return problem(400, push);
    if (proof.id !== pushId(push.flow_run_id, push.generation))
      return problem(400, "webhook-id does not name the run.");
    const flow = served.get(push.flow_name);
    if (flow === undefined) {
      return problem(404, `There is no flow "${push.flow_name}" here, but: ${[...served.keys()].join(", ")}.`);
    }
    const apiUrl = options.apiUrl ?? setting(env, "SLUICE_API_URL") ?? push.api_url;
    if (!apiUrl) {
      return problem(
        500,
        "This target does not know its control plane: set SLUICE_API_URL, or the job variable api_url.",
      );
    }
    if (taken.has(proof.id)) return accepted({ duplicate: true, budget_ms: budgetMs }, null);
    forgetOld(taken, startedAt);
    taken.set(proof.id, startedAt);
    const client = createClient({
      url: apiUrl,
      key: options.key ?? push.run_token ?? setting(env, "SLUICE_API_KEY") ?? null,
      ...(options.fetch ? { fetch: options.fetch } : {}),
    });
    const work = execute(flow, push, {
      client,
      budget: budgetMs === null ? null : budgetSpan(budgetMs, options.reserve, startedAt),
      resultStorage: options.results ?? (isResultStorageChosen() ? null : controlPlaneStorage(client)),
      // Workers cannot send a key when they open a WebSocket, and a fetch that stands in has none.
      ...(isWorkers() || options.fetch ? { webSocket: null } : {}),
    });
    waitUntilOf(ctx, options)?.(work);
    return accepted({ duplicate: false, budget_ms: budgetMs }, options.keepOpen ? work : null);
  };
}

/** Settles, and never rejects, when the run has ended here. */
async function execute(
  flow: AnyFlow,
  { flow_run_id: flowRunId, generation, name }: PushFrame["data"],
  how: Pick<Parameters<typeof executeFlowRun>[0], "client" | "budget" | "resultStorage" | "webSocket">,
): Promise<void> {
  try {
    await executeFlowRun({ ...how, flow, flowRunId, generation, onlyPending: true });
  } catch (error) {
    // Whoever pushed hears of it by the claim, which is not confirmed or falls silent.
    echo("warn", name, `The run is not executed here. ${errorMessage(error)}`);
  }
}

function byName(flows: readonly unknown[]): Map<string, AnyFlow> {
  const served = new Map<string, AnyFlow>();
  for (const flow of flows.filter(isFlow)) {
    const known = served.get(flow.name);
    if (known !== undefined && known !== flow)
      throw new TypeError(`Two flows given to serveFlows() are called "${flow.name}".`);
    served.set(flow.name, flow);
  }
  if (served.size === 0) throw new TypeError("serveFlows() was given no flow: serveFlows([myFlow]).");
  return served;
}

function readPush(body: string): PushFrame["data"] | string {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return "The body is not JSON.";
  }
  const frame = PushFrame.safeParse(json);
  if (!frame.success) return `Field ${frame.error.issues[0]?.path.join(".")} of the push is not understood.`;
  const { data } = frame.data;
  if (data.protocol === PUSH_PROTOCOL) return data;
  return `The push has version ${data.protocol}; this target understands version ${PUSH_PROTOCOL}. Use the same version of sluice.`;
}

/** One line at once; with `until` the body stays open until that has settled. */
function accepted(answer: PushAnswer, until: Promise<void> | null): Response {
  const line = `${JSON.stringify(answer)}\n`;
  const init = { status: 202, headers: { "content-type": "application/json" } };
  if (until === null) return new Response(line, init);
  const body = new ReadableStream({
    async start(controller) {
      controller.enqueue(new TextEncoder().encode(line));
      await until;
      try {
        controller.close();
      } catch {
        // Nobody reads any more, which is as good.
      }
    },
  });
  return new Response(body, init);
}

function problem(status: number, detail: string, headers: Record<string, string> = {}): Response {
  return Response.json({ detail }, { status, headers });
}

/** From what Workers hand over, or from the environment of the process. */
function setting(env: unknown, name: string): string | undefined {
  const own: unknown = typeof env === "object" && env !== null ? Reflect.get(env, name) : undefined;
  return (typeof own === "string" ? own : globalThis.process?.env?.[name]) || undefined;
}

function secretsOf(secret: string | readonly string[] | undefined): string[] {
  const all = typeof secret === "string" ? secret.split(",") : [...(secret ?? [])];
  return all.map((one) => one.trim()).filter((one) => one !== "");
}

function forgetOld(taken: Map<string, number>, now: number): void {
  for (const [id, at] of taken) {
    // In the order in which they came.
    if (now - at <= REMEMBERED_MS) return;
    taken.delete(id);
  }
}

function isWorkers(): boolean {
  return globalThis.navigator?.userAgent === "Cloudflare-Workers";
}

function waitUntilOf(ctx: unknown, options: ServeFlowsOptions): ServeFlowsOptions["waitUntil"] {
  if (options.waitUntil) return options.waitUntil;
  const isContext =
    typeof ctx === "object" && ctx !== null && "waitUntil" in ctx && typeof ctx.waitUntil === "function";
  return isContext ? (work) => (ctx as ExecutionContextLike).waitUntil(work) : undefined;
}
