/**
 * A flow that runs where no worker can: runs are pushed to this server as signed requests. The same handler is what a
 * Worker, a Vercel function, Bun or Deno exports (docs/http-pools.md).
 *
 *     sluice work-pool create edge --type http --url http://127.0.0.1:8787
 *     SLUICE_PUSH_SECRET=whsec_… SLUICE_API_URL=http://127.0.0.1:4200/api node examples/http-target.ts
 *     sluice deploy examples/http-target.ts:thumbnails --name edge --pool edge
 *     sluice deployment run thumbnails/edge --param count=5
 */
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { flow, logger, task } from "sluice";
import { type FetchHandler, serveFlows } from "sluice/http";

const shrink = task({ name: "shrink" }, async (picture: number, spanMs: number, { signal }) => {
  await new Promise((resolve, reject) => {
    setTimeout(resolve, spanMs);
    signal.addEventListener("abort", () => reject(signal.reason));
  });
  return `picture ${picture}`;
});

export const thumbnails = flow(
  { name: "thumbnails" },
  async ({ count = 3, spanMs = 20 }: { readonly count?: number; readonly spanMs?: number }) => {
    const done: string[] = [];
    for (let picture = 1; picture <= count; picture++) done.push(await shrink(picture, spanMs));
    logger().info(`Shrunk ${done.join(", ")}.`);
  },
);

if (import.meta.main) {
  // A platform that stops a request after a minute would be told of by `budget: "1m"`.
  const budget = process.env["TARGET_BUDGET"] ?? null;
  const server = serve(serveFlows([thumbnails], { budget }));
  server.listen(Number(process.env["PORT"] ?? 8787), "127.0.0.1", () => {
    console.log(`Runs may be pushed to http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  });
}

/** Node's server, in front of a handler that speaks fetch. Bun and Deno need none: `Bun.serve({ fetch: handler })`. */
function serve(handler: FetchHandler) {
  return createServer(async (incoming, outgoing) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const answer = await handler(requestOf(incoming, Buffer.concat(chunks)));
    outgoing.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text());
  });
}

function requestOf(incoming: IncomingMessage, body: Uint8Array<ArrayBuffer>): Request {
  const { method = "GET", url = "/", headers } = incoming;
  const given = Object.entries(headers).map(([name, value]) => [name, String(value)] as [string, string]);
  return new Request(new URL(url, "http://localhost"), {
    method,
    headers: given,
    ...(method === "GET" || method === "HEAD" ? {} : { body }),
  });
}
