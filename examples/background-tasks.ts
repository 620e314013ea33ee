/**
 * An HTTP handler that answers at once and leaves the work to task workers, which may be on other machines.
 *
 *     export SLUICE_API_URL=http://127.0.0.1:4200/api
 *     sluice task serve examples/background-tasks.ts            # as many as wanted
 *     node examples/background-tasks.ts                         # the web server
 *     curl -X POST http://127.0.0.1:8080/sign-ups -d '{"email":"ada@example.com"}'
 */
import { createServer } from "node:http";
import { logger, task } from "sluice";

export const welcome = task({ name: "welcome", retries: 3, retryDelay: "10s" }, async (email: string) => {
  logger().info(`Writing to ${email}.`);
  return { to: email, subject: "Welcome" };
});

/** 202 with the task run that will do it; 422 for what has no address. */
export async function signUp(request: Request): Promise<Response> {
  const { email } = (await request.json().catch(() => ({}))) as { email?: unknown };
  if (typeof email !== "string") return Response.json({ error: "Give an email." }, { status: 422 });
  const run = await welcome.delay(email);
  return Response.json({ taskRunId: run.taskRunId }, { status: 202 });
}

if (import.meta.main) {
  const server = createServer(async (incoming, outgoing) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const request = new Request("http://localhost/sign-ups", { method: "POST", body: Buffer.concat(chunks) });
    const answer = await signUp(request);
    outgoing.writeHead(answer.status, { "content-type": "application/json" }).end(await answer.text());
  });
  server.listen(8080, "127.0.0.1", () => console.log("Sign up at http://127.0.0.1:8080/sign-ups"));
}
