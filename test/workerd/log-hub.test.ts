import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, it } from "vitest";
import type { FlowRunId } from "#protocol/ids";
import { LOG_HUB } from "../../durable-objects/log-hub-object.ts";
import { aFlow, call } from "./support/api.ts";
import { closeOf, connectAsPrefect, type PrefectSocket, subscribe } from "./support/prefect-socket.ts";
import { ownerStub, until } from "./support/runs.ts";

const OUT = "/logs/out";

interface Line {
  readonly id: string;
  readonly message: string;
  readonly flow_run_id: string;
}

async function aRun(): Promise<FlowRunId> {
  const flow = await aFlow();
  return (await call<{ id: FlowRunId }>("POST", "/flow_runs/", { flow_id: flow.id })).body.id;
}

async function write(id: FlowRunId, ...messages: string[]): Promise<void> {
  const timestamp = new Date().toISOString();
  await call(
    "POST",
    "/logs/",
    messages.map((message) => ({ name: "flow", level: message.length, message, timestamp, flow_run_id: id })),
  );
}

const linesOf = (peer: PrefectSocket): Line[] =>
  peer.frames.filter((frame) => frame["type"] === "log").map((frame) => frame["log"] as Line);
const messagesOf = (peer: PrefectSocket): string[] => linesOf(peer).map(({ message }) => message);

/** Writes until the listener hears it: from then on its filter stands. */
async function heard(peer: PrefectSocket, id: FlowRunId): Promise<void> {
  await until("the first line", async () => {
    await write(id, "are you there?");
    return linesOf(peer).length > 0;
  });
  await write(id, "now it begins");
  await until("the beginning", async () => messagesOf(peer).includes("now it begins"));
  peer.frames.length = 0;
}

async function streamed(id: FlowRunId): Promise<string[]> {
  return runInDurableObject(ownerStub(id), (_, { storage }) =>
    storage.sql
      .exec<{ run_id: string }>("SELECT run_id FROM streamed_runs")
      .toArray()
      .map((row) => row.run_id),
  );
}

describe("the socket for logs", () => {
  it.for<[unknown, string]>([
    [{ type: "what?", filter: {} }, "Expected 'filter' message"],
    [{ type: "filter", filter: { level: { ge_: "high" } } }, "Invalid filter: level.ge_: "],
    [
      { type: "filter", filter: { flow_run_id: { any_: Array.from({ length: 60 }, () => crypto.randomUUID()) } } },
      "Invalid filter: it has",
    ],
  ])("closes with 1002 after %j", async ([frame, reason], { expect }) => {
    const peer = await connectAsPrefect(OUT);
    peer.send(frame);
    expect(await closeOf(peer)).toEqual({ code: 1002, reason: expect.stringContaining(reason) });
  });

  it("sends new lines of the runs that the filter names, as they are listed", async ({ expect }) => {
    const [id, other] = [await aRun(), await aRun()];
    await write(id, "before anybody listened");
    const peer = await subscribe(OUT, { flow_run_id: { any_: [id] }, level: { ge_: 6 } });
    await heard(peer, id);
    await write(other, "of another run");
    await write(id, "first line", "no", "second line");
    await until("both lines", async () => linesOf(peer).length >= 2);
    const listed = await call<Line[]>("POST", "/logs/filter", { logs: { flow_run_id: { any_: [id] } } });
    expect(linesOf(peer)).toEqual(listed.body.filter(({ message }) => message.endsWith(" line")));
  });

  it("sends lines of every run when the filter names none, and later runs too", async ({ expect }) => {
    const peer = await subscribe(OUT, {});
    await heard(peer, await aRun());
    const later = await aRun();
    await write(later, "later");
    await until("its line", async () => messagesOf(peer).includes("later"));
    expect(linesOf(peer).at(-1)?.flow_run_id).toBe(later);
    peer.socket.close(1000);
  });

  it("goes on when owner and hub have slept", async ({ expect }) => {
    const id = await aRun();
    const peer = await subscribe(OUT, { flow_run_id: { any_: [id] } });
    await heard(peer, id);
    await evictDurableObject(ownerStub(id));
    await evictDurableObject(env.LOG_HUBS.getByName(LOG_HUB), { webSockets: "hibernate" });
    await write(id, "after the sleep");
    await until("the line", async () => messagesOf(peer).includes("after the sleep"));
    expect(messagesOf(peer)).toEqual(["after the sleep"]);
  });

  it("costs nothing any more once nobody listens", async ({ expect }) => {
    const id = await aRun();
    const peer = await subscribe(OUT, { flow_run_id: { any_: [id] } });
    await heard(peer, id);
    expect(await streamed(id)).toContain(id);
    peer.socket.close(1000);
    await until("the end of the stream", async () => {
      await write(id, "into the void");
      return !(await streamed(id)).includes(id);
    });
    await evictDurableObject(ownerStub(id));
    await write(id, "unheard");
    expect(await streamed(id)).not.toContain(id);
  });
});
