/** What a run ends in when its function returns states, or futures of other runs. */
import { describe, it } from "vitest";
import {
  allowFailure,
  Cancelled,
  CancelledRunError,
  Completed,
  CrashedRunError,
  Failed,
  FailedRunError,
  flow,
  type State,
  task,
} from "../../sdk/index.ts";
import { names, offlineWorld } from "./offline-world.ts";

const fine = task({ name: "fine" }, async (n: number) => n);
const bad = task({ name: "bad" }, async () => {
  throw new RangeError("too far");
});
const stopped = task({ name: "stopped" }, async () => Cancelled("Not today."));

/** A state as the API answers it: without a result of this process. */
function crashed(state: State): State {
  return { ...state, type: "CRASHED", message: "gone" };
}

describe("a flow that returns", () => {
  const error = new RangeError("mine");
  it.for<[what: string, body: () => unknown, state: object, answer: unknown]>([
    ["Completed with data", () => Completed({ data: 5, name: "Skipped" }), { type: "COMPLETED", name: "Skipped" }, 5],
    ["Completed with a message", () => Completed("Nothing to do."), { message: "Nothing to do." }, undefined],
    [
      "Failed with a message",
      () => Failed("No rows."),
      { type: "FAILED", message: "No rows." },
      new FailedRunError("No rows."),
    ],
    ["Failed with an error", () => Failed({ data: error }), { type: "FAILED", message: "RangeError: mine" }, error],
    ["Cancelled", () => Cancelled("No."), { type: "CANCELLED", message: "No." }, new CancelledRunError("No.")],
    ["a future", () => fine.submit(1), { type: "COMPLETED", message: "All states completed." }, 1],
    ["futures", () => fine.map([1, 2]), { type: "COMPLETED", message: "All states completed." }, [1, 2]],
    [
      "futures of which one fails",
      () => [fine.submit(1), bad.submit()],
      { type: "FAILED", message: "1/2 states failed." },
      new RangeError("too far"),
    ],
    [
      "futures of which one is cancelled",
      () => [fine.submit(1), bad.submit(), stopped.submit()],
      { type: "CANCELLED", message: "1/3 states cancelled." },
      new RangeError("too far"),
    ],
    [
      "states of which one has failed",
      async () => [await fine.returnState(1), await bad.returnState()],
      { type: "FAILED", message: "1/2 states failed." },
      new RangeError("too far"),
    ],
    [
      "states of which one has crashed",
      async () => [await fine.returnState(1), crashed(await fine.returnState(1))],
      { type: "FAILED", message: "1/2 states failed." },
      new CrashedRunError("gone"),
    ],
    [
      "a failure that is allowed",
      async () => [allowFailure(bad.submit())],
      { type: "COMPLETED" },
      [new RangeError("too far")],
    ],
    ["values beside futures", () => [1, "two"], { type: "COMPLETED", message: null }, [1, "two"]],
    ["an empty list", () => [], { type: "COMPLETED", message: null }, []],
  ])("%s ends so", async ([, body, state, answer], { expect }) => {
    using world = offlineWorld();
    const run = flow({ name: "f" }, async () => body())();
    expect(await run.catch((thrown: unknown) => thrown)).toEqual(answer);
    expect(world.run.states.at(-1)).toMatchObject(state);
  });

  it("Failed is retried like one that threw", async ({ expect }) => {
    using world = offlineWorld();
    const made = flow({ name: "f", retries: 1 }, async (_: object, { runCount }) =>
      runCount === 1 ? Failed("Once more.") : runCount,
    );
    expect(await world.clock.run(made({}))).toBe(2);
  });

  it("answers its state in place of throwing, when that is asked for", async ({ expect }) => {
    using _ = offlineWorld();
    const failed = await flow({ name: "f" }, async () => Failed("No.")).returnState();
    expect(failed).toMatchObject({ type: "FAILED", message: "No." });
    expect(() => failed.result()).toThrow(FailedRunError);
    expect((await flow({ name: "f" }, async () => 7).returnState()).result()).toBe(7);
  });
});

describe("a task that returns", () => {
  it("Failed is retried, and fails in the end with the state's name", async ({ expect }) => {
    using world = offlineWorld();
    const made = task({ name: "t", retries: 1 }, async () => Failed({ name: "Refused", message: "No." }));
    const run = flow({ name: "f" }, async () => made())();
    await expect(world.clock.run(run)).rejects.toThrow(new FailedRunError("No."));
    expect(world.tasks.map(({ states }) => names(states))).toEqual([["Pending", "Running", "Retrying", "Refused"]]);
  });

  it("Cancelled is not retried, and calls the hook for it", async ({ expect }) => {
    using world = offlineWorld();
    const seen: string[] = [];
    const made = task({ name: "t", retries: 3, onCancellation: () => void seen.push("hook") }, async () => Cancelled());
    const run = flow({ name: "f" }, async () => made())();
    await expect(world.clock.run(run)).rejects.toThrow(CancelledRunError);
    expect(world.tasks.map(({ states }) => names(states))).toEqual([["Pending", "Running", "Cancelled"]]);
    expect(seen).toEqual(["hook"]);
  });
});
