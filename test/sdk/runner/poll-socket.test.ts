/** The worker channel by requests, one by one: what each asks, and what the worker hears. */
import { afterEach, beforeEach, describe, it, vi } from "vitest";
import { ApiUnreachableError } from "../../../sdk/client/errors.ts";
import type { ApiClient } from "../../../sdk/client/index.ts";
import { SluiceError } from "../../../sdk/protocol/errors.ts";
import { PollSocket } from "../../../sdk/runner/poll-socket.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

interface Asked {
  readonly body: { readonly frames: readonly { readonly type: string }[]; readonly wait_ms: number };
  answer(frames: readonly object[]): Promise<void>;
  fail(error: Error): Promise<void>;
}

/** A connection that is open, and has said hello. */
async function pollSocket() {
  const asked: Asked[] = [];
  const heard: unknown[] = [];
  const call = (_: unknown, { body }: Pick<Asked, "body">): Promise<unknown> => {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const answer = async (frames: readonly object[]): Promise<void> => {
      resolve({ frames });
      await vi.advanceTimersByTimeAsync(0);
    };
    const fail = async (error: Error): Promise<void> => {
      reject(error);
      await vi.advanceTimersByTimeAsync(0);
    };
    asked.push({ body, answer, fail });
    return promise;
  };
  const socket = new PollSocket({
    client: { call } as unknown as ApiClient,
    poolName: "local",
    hello: () => ({ type: "hello" }) as never,
  });
  socket.addEventListener("open", () => socket.send('{"type":"hello"}'));
  socket.addEventListener("message", ({ data }) => heard.push(data === "pong" ? data : JSON.parse(String(data))));
  socket.addEventListener("close", ({ code }) => heard.push(code));
  await vi.advanceTimersByTimeAsync(0);
  const last = (): Asked => {
    const one = asked.at(-1);
    if (one === undefined) throw new Error("Nothing was asked.");
    return one;
  };
  return { socket, asked, heard, last };
}

const WELCOME = { type: "welcome", base_job_template: { job_configuration: {} } };
const away = new ApiUnreachableError("http://plane.test", "ECONNRESET");

describe("the worker channel by requests", () => {
  it("waits at the control plane once it was welcomed, and hears of the welcome once", async ({ expect }) => {
    const { asked, heard, last } = await pollSocket();
    expect(last().body).toEqual({ frames: [{ type: "hello" }], wait_ms: 0 });
    await last().answer([WELCOME]);
    expect(last().body.wait_ms).toBe(10_000);
    await last().answer([WELCOME, { type: "kill" }]);
    const template = { type: "template", base_job_template: WELCOME.base_job_template };
    expect(heard).toEqual([WELCOME, "pong", template, { type: "kill" }, "pong"]);
    expect(asked).toHaveLength(3);
  });

  it("says in each request that the worker drains, once it did", async ({ expect }) => {
    const { socket, asked, last } = await pollSocket();
    await last().answer([WELCOME]);
    socket.send('{"type":"drain"}');
    await last().answer([]);
    expect(asked.slice(-2).map(({ body }) => body.frames.map(({ type }) => type))).toEqual([
      ["hello", "drain"],
      ["hello", "drain"],
    ]);
  });

  it("is followed by one request at a time, whatever is said meanwhile", async ({ expect }) => {
    const { socket, asked, last } = await pollSocket();
    await last().answer([WELCOME]);
    socket.send('{"type":"released"}');
    expect(asked).toHaveLength(3);
    // The one that was overtaken is answered, and no other comes after it.
    await asked[1]?.answer([]);
    expect(asked).toHaveLength(3);
  });

  it("tries anew after a failure that passes, waiting less, and is lost after the fourth", async ({ expect }) => {
    const { socket, asked, heard, last } = await pollSocket();
    await last().answer([WELCOME]);
    const waits: number[] = [];
    for (let failure = 1; failure <= 3; failure++) {
      await last().fail(away);
      await vi.advanceTimersByTimeAsync(200 * 2 ** failure);
      waits.push(last().body.wait_ms);
    }
    expect([waits, asked.length]).toEqual([[2_500, 1_000, 1_000], 5]);
    await last().fail(away);
    expect([heard.at(-1), socket.readyState]).toEqual([1006, 3]);
  });

  it("is lost at once after a refusal", async ({ expect }) => {
    const { heard, last } = await pollSocket();
    await last().fail(new SluiceError("not_found", "No such pool.", { fix: "Make it." }));
    expect(heard).toEqual([1006]);
  });

  it("asks nothing more once it was closed", async ({ expect }) => {
    const { socket, asked, last } = await pollSocket();
    socket.close();
    await last().answer([]);
    expect(asked).toHaveLength(1);
  });
});
