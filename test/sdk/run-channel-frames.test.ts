/** The run channel frame by frame: a socket of the test's own, and a clock that goes on when the test says. */
import { afterEach, beforeEach, describe, it, vi } from "vitest";
import { FlowRunPolicy } from "#protocol/flow-runs";
import { FlowRunId, StateId } from "#protocol/ids";
import type { LogCreate } from "#protocol/logs";
import type { RunClientFrame, RunServerFrame } from "#protocol/run-channel";
import { NO_DETAILS, type State, StateCreate, type StateType } from "#protocol/states";
import { createClient } from "../../sdk/client/index.ts";
import { RunChannel, type RunChannelOptions } from "../../sdk/client/run-channel.ts";
import { BLANK_RUN } from "./tiny-control-plane.ts";

const ID = FlowRunId.parse("019ab5c2-0000-7000-8000-000000000001");
const STATE_ID = StateId.parse("019ab5c2-0000-7000-8000-000000000002");
const AT = "2026-11-21T00:00:00.000000Z";

beforeEach(() => {
  FakeSocket.made = [];
  FakeSocket.refuses = false;
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** The owner's end of a connection. */
class FakeSocket extends EventTarget {
  static readonly OPEN = 1;
  static made: FakeSocket[] = [];
  /** Whether connections come about. */
  static refuses = false;
  readonly sent: string[] = [];
  readyState = 1;

  constructor() {
    super();
    FakeSocket.made.push(this);
    queueMicrotask(() => this.dispatchEvent(new Event(FakeSocket.refuses ? "error" : "open")));
  }

  static get last(): FakeSocket {
    const last = FakeSocket.made.at(-1);
    if (last === undefined) throw new Error("Nobody has connected.");
    return last;
  }

  /** What arrived here, without hello and pings. */
  get frames(): RunClientFrame[] {
    const frames = this.sent.filter((text) => text !== "ping").map((text) => JSON.parse(text) as RunClientFrame);
    return frames.filter(({ type }) => type !== "hello");
  }

  send(text: string): void {
    this.sent.push(text);
  }

  close(): void {
    this.readyState = 3;
  }

  tell(frame: RunServerFrame | "pong"): void {
    const data = typeof frame === "string" ? frame : JSON.stringify(frame);
    this.dispatchEvent(new MessageEvent("message", { data }));
  }

  drop(): void {
    this.readyState = 3;
    this.dispatchEvent(Object.assign(new Event("close"), { code: 1006 }));
  }
}

function state(type: StateType, details: Partial<State["state_details"]> = {}): State {
  const state_details = { ...NO_DETAILS, ...details };
  return { id: STATE_ID, type, name: type, timestamp: AT, message: null, data: null, state_details } as State;
}

function welcome(current: State | null = null, heartbeatMs = 10_000): RunServerFrame {
  const run = {
    ...BLANK_RUN,
    id: ID,
    flow_id: ID,
    created: AT,
    updated: AT,
    name: "tiny-run",
    parameters: {},
    empirical_policy: FlowRunPolicy.parse({}),
    state_id: null,
    state_type: null,
    state_name: null,
    run_count: 0,
    state: current,
  };
  return {
    type: "welcome",
    protocol: 1,
    run: run as never,
    generation: 0,
    heartbeat_interval_ms: heartbeatMs,
    acked: 0,
  };
}

function verdict(id: number): RunServerFrame {
  return {
    type: "verdict",
    id,
    result: { status: "ACCEPT", state: state("RUNNING"), details: { type: "accept_details" } },
  };
}

const ack = (n: number): RunServerFrame => ({ type: "ack", n });
const log = (message: string): LogCreate => ({ name: "n", level: 20, message, timestamp: AT }) as LogCreate;
const proposal = (type: StateType, transition_id: string | null = null): StateCreate =>
  StateCreate.parse({ type, state_details: { transition_id } });

/** A channel, and what it tells. */
function channelOf(
  options: Partial<RunChannelOptions> = {},
  answer: () => Response = () => new Response(null, { status: 503 }),
) {
  const told: string[] = [];
  const requests: string[] = [];
  const client = createClient({
    url: "http://plane.test",
    fetch: async (url) => {
      requests.push(String(url));
      return answer();
    },
  });
  const channel = new RunChannel({
    client,
    flowRunId: ID,
    generation: null,
    webSocket: FakeSocket as unknown as typeof WebSocket,
    onControl: ({ action }) => told.push(action),
    onConnection: (change) => told.push(change),
    onFailure: (error) => told.push(error.name),
    ...options,
  });
  return { channel, told, requests };
}

/** One that is open. */
async function openChannel(
  current: State | null = null,
  heartbeatMs = 10_000,
  options: Partial<RunChannelOptions> = {},
) {
  const made = channelOf(options);
  const opening = made.channel.open();
  await vi.advanceTimersByTimeAsync(0);
  FakeSocket.last.tell(welcome(current, heartbeatMs));
  await opening;
  return made;
}

const types = (socket: FakeSocket): string[] => socket.frames.map(({ type }) => type);

describe("frames of the run channel", () => {
  it("carry the id that a proposal has", async ({ expect }) => {
    const { channel } = await openChannel();
    const id = crypto.randomUUID();
    void channel.propose(proposal("RUNNING", id));
    expect(FakeSocket.last.frames).toMatchObject([
      { type: "propose", state: { state_details: { transition_id: id } } },
    ]);
  });

  it("carry one proposal at a time", async ({ expect }) => {
    const { channel } = await openChannel();
    const verdicts = [channel.propose(proposal("RUNNING")), channel.propose(proposal("COMPLETED"))];
    await vi.advanceTimersByTimeAsync(1_000);
    expect(types(FakeSocket.last)).toEqual(["propose"]);
    FakeSocket.last.tell(verdict(1));
    await vi.advanceTimersByTimeAsync(0);
    expect(types(FakeSocket.last)).toEqual(["propose", "propose"]);
    FakeSocket.last.tell(verdict(2));
    await Promise.all(verdicts);
  });

  it("carry what gathered while one was on its way, with its acknowledgement or as soon as that is much", async ({
    expect,
  }) => {
    const { channel } = await openChannel();
    const sizes = (): number[] =>
      FakeSocket.last.frames.map((frame) => (frame.type === "batch" ? frame.items.length : 0));
    channel.log(log("first"));
    await vi.advanceTimersByTimeAsync(0);
    for (let i = 0; i < 3; i++) {
      channel.log(log(String(i)));
      await vi.advanceTimersByTimeAsync(10);
    }
    expect(sizes()).toEqual([1]);
    FakeSocket.last.tell(ack(1));
    expect(sizes()).toEqual([1, 3]);
    for (let i = 0; i < 200; i++) channel.log(log(String(i)));
    expect(sizes()).toEqual([1, 3, 200]);
  });

  it("ask producers to wait while ten thousand items are on their way, until half of them are stored", async ({
    expect,
  }) => {
    const { channel } = await openChannel();
    for (let i = 0; i < 9_999; i++) channel.log(log(""));
    await vi.advanceTimersByTimeAsync(0);
    expect(channel.ready()).toBeNull();
    channel.log(log(""));
    let isReady = false;
    void channel.ready()?.then(() => {
      isReady = true;
    });
    for (let n = 1; n <= 25; n++) FakeSocket.last.tell(ack(n));
    await vi.advanceTimersByTimeAsync(0);
    expect(isReady).toBe(false);
    FakeSocket.last.tell(ack(26));
    await vi.advanceTimersByTimeAsync(0);
    expect(isReady).toBe(true);
  });

  it("that are lost with the connection fail those who wait for them, when it does not come back", async ({
    expect,
  }) => {
    const { channel, told } = await openChannel(null, 10_000, { giveUpAfterMs: 0 });
    channel.log(log("lost"));
    const flushed = channel.flush();
    flushed.catch(() => undefined);
    FakeSocket.refuses = true;
    FakeSocket.last.drop();
    await vi.advanceTimersByTimeAsync(60_000);
    FakeSocket.refuses = false;
    await expect(flushed).rejects.toThrow("cannot be reached");
    expect(told).toContain("ApiUnreachableError");
  });
});

describe("the connection of the run channel", () => {
  it("is made again when no welcome comes within ten seconds", async ({ expect }) => {
    void channelOf().channel.open();
    await vi.advanceTimersByTimeAsync(9_999);
    expect(FakeSocket.made).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(101);
    expect(FakeSocket.made).toHaveLength(2);
  });

  it("is made again when nothing was heard for two heartbeats and a half", async ({ expect }) => {
    await openChannel(null, 1_000);
    for (let beat = 0; beat < 5; beat++) {
      await vi.advanceTimersByTimeAsync(1_000);
      FakeSocket.last.tell("pong");
    }
    await vi.advanceTimersByTimeAsync(2_000);
    expect(FakeSocket.made).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1_200);
    expect(FakeSocket.made).toHaveLength(2);
  });

  it("is made again within a heartbeat at the latest, and how often it failed is said once", async ({ expect }) => {
    vi.spyOn(Math, "random").mockReturnValue(0.999);
    const { told } = await openChannel(null, 500);
    FakeSocket.refuses = true;
    FakeSocket.last.drop();
    await vi.advanceTimersByTimeAsync(20_000);
    const before = FakeSocket.made.length;
    await vi.advanceTimersByTimeAsync(4_000);
    // Every second attempt goes by request.
    expect(FakeSocket.made.length - before).toBeGreaterThanOrEqual(3);
    FakeSocket.refuses = false;
    await vi.advanceTimersByTimeAsync(1_100);
    FakeSocket.last.tell(welcome(null, 500));
    expect(told).toEqual(["lost", "back"]);
  });

  it("is made again after an error that passes, and not after another", async ({ expect }) => {
    const { told } = await openChannel();
    FakeSocket.last.tell({ type: "error", code: "not_ready", message: "Moving.", fix: "Wait." });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(FakeSocket.made).toHaveLength(2);
    FakeSocket.last.tell({ type: "error", code: "stale_generation", message: "Claimed anew.", fix: "Stop." });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(FakeSocket.made).toHaveLength(2);
    expect(told).toEqual(["SluiceError"]);
  });

  it("is given up after a minute when it never was, and after an hour when it was", async ({ expect }) => {
    FakeSocket.refuses = true;
    const { channel } = channelOf();
    let error: unknown = null;
    channel.open().catch((thrown: unknown) => {
      error = thrown;
    });
    await vi.advanceTimersByTimeAsync(59_000);
    expect(error).toBeNull();
    await vi.advanceTimersByTimeAsync(21_000);
    expect(error).toMatchObject({ name: "ApiUnreachableError" });

    FakeSocket.refuses = false;
    const later = channelOf();
    const opening = later.channel.open();
    await vi.advanceTimersByTimeAsync(0);
    FakeSocket.last.tell(welcome());
    await opening;
    FakeSocket.refuses = true;
    FakeSocket.last.drop();
    await vi.advanceTimersByTimeAsync(3_590_000);
    expect(later.told).toEqual(["lost"]);
    await vi.advanceTimersByTimeAsync(30_000);
    FakeSocket.refuses = false;
    expect(later.told).toEqual(["lost", "ApiUnreachableError"]);
  });

  it("goes by requests where sockets are refused, and tries one again after a minute", async ({ expect }) => {
    FakeSocket.refuses = true;
    const { channel } = channelOf({}, () => Response.json({ frames: [welcome()] }));
    const opening = channel.open();
    await vi.advanceTimersByTimeAsync(1_000);
    await opening;
    const tried = FakeSocket.made.length;
    await vi.advanceTimersByTimeAsync(59_000);
    expect(FakeSocket.made).toHaveLength(tried);
    FakeSocket.refuses = false;
    await vi.advanceTimersByTimeAsync(20_000);
    expect(FakeSocket.made).toHaveLength(tried + 1);
    FakeSocket.last.tell(welcome());
    channel.log(log("by socket"));
    await vi.advanceTimersByTimeAsync(0);
    expect(types(FakeSocket.last)).toEqual(["batch"]);
  });
});

describe("what was decided about a run while its process was away", () => {
  it.for<[what: string, now: State | null, told: string[]]>([
    ["a cancellation is told", state("CANCELLING"), ["cancel"]],
    ["a suspension is told", state("PAUSED", { pause_reschedule: true }), ["suspend"]],
    ["a pause, in which the process stays, is not", state("PAUSED"), []],
    ["its end is told", state("CRASHED"), ["ended"]],
    ["nothing is told of one that goes on", state("RUNNING"), []],
  ])("%s", async ([, now, wanted], { expect }) => {
    const { told } = await openChannel(state("RUNNING"));
    FakeSocket.last.drop();
    await vi.advanceTimersByTimeAsync(1_000);
    FakeSocket.last.tell(welcome(now));
    expect(told).toEqual(wanted);
  });

  it("is not told where it may be the process's own proposal, whose verdict is on its way", async ({ expect }) => {
    const { channel, told } = await openChannel(state("RUNNING"));
    void channel.propose(proposal("COMPLETED"));
    FakeSocket.last.drop();
    await vi.advanceTimersByTimeAsync(1_000);
    FakeSocket.last.tell(welcome(state("COMPLETED")));
    expect(told).toEqual([]);
    expect(types(FakeSocket.last)).toEqual(["propose"]);
  });
});
