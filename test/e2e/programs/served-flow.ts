/** Serves one flow to an http pool, with what this runtime has for it, and prints the port. */

import { flow, logger, task } from "sluice";
import { type FetchHandler, serveFlows } from "sluice/http";

const double = task({ name: "double" }, async (n: number) => n * 2);

const served = flow({ name: "served" }, async ({ runtime }: { readonly runtime: string }) => {
  logger().info(`${runtime} made ${await double(21)}.`);
});

interface Runtimes {
  readonly Bun?: { serve(options: { readonly port: number; readonly fetch: FetchHandler }): { readonly port: number } };
  readonly Deno?: {
    serve(
      options: { readonly port: number; onListen(at: { readonly port: number }): void },
      handler: FetchHandler,
    ): void;
  };
}

/** Node speaks fetch only as a client. */
async function serveOnNode(handler: FetchHandler): Promise<void> {
  const { createServer } = await import("node:http");
  const server = createServer(async (incoming, outgoing) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const headers = Object.entries(incoming.headers).map(([name, value]): [string, string] => [name, String(value)]);
    const method = incoming.method ?? "GET";
    const request = new Request("http://localhost/", { method, headers, body: Buffer.concat(chunks) });
    const answer = await handler(request);
    outgoing.writeHead(answer.status).end(await answer.text());
  });
  server.listen(0, () => {
    const at = server.address();
    if (typeof at === "object" && at !== null) console.log(`PORT ${at.port}`);
  });
}

const { Bun, Deno } = globalThis as Runtimes;
const handler = serveFlows([served]);
if (Bun) console.log(`PORT ${Bun.serve({ port: 0, fetch: handler }).port}`);
else if (Deno) Deno.serve({ port: 0, onListen: ({ port }) => console.log(`PORT ${port}`) }, handler);
else await serveOnNode(handler);
