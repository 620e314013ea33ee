/** The way out of the embedded server: a launcher that makes the requests of an engine that may not. */
import { env } from "cloudflare:workers";
import { afterEach, describe, it } from "vitest";
import { outbound } from "../../worker/push/send-out.ts";
import { call } from "./support/api.ts";
import { until } from "./support/runs.ts";

interface Asked {
  readonly id: string;
  readonly url: string;
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

const open: WebSocket[] = [];
afterEach(async () => {
  for (const socket of open.splice(0)) socket.close();
});

/** A launcher that answers with this. */
async function launcher(answer: (asked: Asked) => object): Promise<Asked[]> {
  const { webSocket } = await env.EGRESS.getByName("launcher").fetch("https://egress/", {
    headers: { upgrade: "websocket" },
  });
  if (!webSocket) throw new Error("no socket");
  const heard: Asked[] = [];
  webSocket.addEventListener("message", ({ data }) => {
    const asked = JSON.parse(String(data)) as Asked;
    heard.push(asked);
    webSocket.send(JSON.stringify({ id: asked.id, ...answer(asked) }));
  });
  webSocket.accept();
  open.push(webSocket);
  return heard;
}

const send = (url = "http://10.0.0.1/x") => outbound(env)(url, { method: "POST", headers: { "x-a": "1" }, body: "hi" });

describe("a request of the embedded server", () => {
  it("is made by the launcher", async ({ expect }) => {
    const heard = await launcher(() => ({ status: 503, headers: { "retry-after": "7" }, body: "busy" }));
    const answer = await send();
    expect([answer.status, answer.headers.get("retry-after"), await answer.text()]).toEqual([503, "7", "busy"]);
    expect(heard).toMatchObject([{ url: "http://10.0.0.1/x", method: "POST", headers: { "x-a": "1" }, body: "hi" }]);
  });

  it("fails with what the launcher says, and goes through the newest launcher", async ({ expect }) => {
    const before = await launcher(() => ({ status: 200, headers: {}, body: "" }));
    await launcher(() => ({ error: "connection refused" }));
    await expect(send()).rejects.toThrow("connection refused");
    expect(before).toEqual([]);
  });

  it("fails at once where no launcher is connected", async ({ expect }) => {
    await until("the launchers are gone", () =>
      send().then(
        () => false,
        (error: Error) => error.message.includes("not connected"),
      ),
    );
    expect((await call("GET", "/internal/egress")).status).toBe(404);
  });
});
