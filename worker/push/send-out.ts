/** How requests leave the control plane: by fetch on Cloudflare, through the launcher of the embedded server. */
import { SPANS } from "#protocol/limits";
import { LAUNCHER } from "../../durable-objects/egress-object.ts";
import type { Send } from "./attempt.ts";

export function outbound(env: Env): Send {
  if (env.SLUICE_MODE !== "embedded") return (url, init) => fetch(url, init);
  return async (url, { method = "GET", headers, body }) => {
    const {
      status,
      body: line,
      ...answer
    } = await env.EGRESS.getByName(LAUNCHER).send({
      url,
      method,
      headers: Object.fromEntries(new Headers(headers)),
      body: String(body ?? ""),
      timeoutMs: SPANS.pushAnswerMs,
    });
    return new Response(line === "" ? null : line, { status, headers: answer.headers });
  };
}
