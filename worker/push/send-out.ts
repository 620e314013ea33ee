/** How requests leave the control plane: by fetch on Cloudflare, through the launcher of the embedded server. */
import { SPANS } from "#protocol/limits";
import { type EgressAnswer, LAUNCHER } from "../../durable-objects/egress-object.ts";
import type { Send } from "./attempt.ts";

/** What it answers throws where the target could not be reached. */
export function outbound(env: Env): Send {
  if (env.SLUICE_MODE !== "embedded") return (url, init) => fetch(url, init);
  return async (url, { method = "GET", headers, body }) => {
    const answer: EgressAnswer = await env.EGRESS.getByName(LAUNCHER).send({
      url,
      method,
      headers: Object.fromEntries(new Headers(headers)),
      body: String(body ?? ""),
      timeoutMs: SPANS.pushAnswerMs,
    });
    if ("error" in answer) throw new Error(answer.error);
    return new Response(answer.body === "" ? null : answer.body, { status: answer.status, headers: answer.headers });
  };
}
