/** What a task worker tells of its runs. */
import { describe, it } from "vitest";
import { ApiUnreachableError } from "../../sdk/client/errors.ts";
import { type ApiClient, createClient } from "../../sdk/client/index.ts";
import { TaskReporter } from "../../sdk/flow/background/task-reporter.ts";
import type { LogCreate } from "../../sdk/protocol/logs.ts";
import type { TaskReport } from "../../sdk/protocol/run-channel.ts";
import { NO_DETAILS, type State } from "../../sdk/protocol/states.ts";

const ID = "019ab5c2-0000-7000-8000-000000000001";

function report(name: string): TaskReport {
  const state = {
    id: name,
    type: "RUNNING",
    name,
    timestamp: "",
    message: null,
    data: null,
    state_details: NO_DETAILS,
  };
  return { id: ID, name: "t-0", run_count: 1, states: [state as unknown as State] } as unknown as TaskReport;
}

function line(message: string): LogCreate {
  return { name: "t", level: 20, message, timestamp: "2026-11-21T00:00:00Z" } as LogCreate;
}

/** What arrives, by the name of the state or by the line's text. */
function arrivals(fails: () => Error | null = () => null) {
  const told: string[] = [];
  const client = {
    ...createClient({ url: "http://plane.test" }),
    call: async (_: unknown, { body }: { body: Record<string, unknown>[] }) => {
      const error = fails();
      if (error !== null) throw error;
      for (const one of body) told.push(String(one["message"] ?? one["event"]).replace("prefect.task-run.", ""));
    },
  } as unknown as ApiClient;
  return { told, client };
}

describe("what a task worker tells", () => {
  it("arrives in its order, states before the lines that came with them", async ({ expect }) => {
    const { told, client } = arrivals();
    const reporter = new TaskReporter(client, () => undefined);
    reporter.log(line("one"));
    reporter.report(report("Running"));
    reporter.report(report("Completed"));
    await reporter.flush();
    expect(told).toEqual(["Running", "Completed", "one"]);
  });

  it("arrives whenever it is told, also in the moment in which what came before is done", async ({ expect }) => {
    for (let turns = 0; turns < 20; turns++) {
      const { told, client } = arrivals();
      const reporter = new TaskReporter(client, () => undefined);
      reporter.report(report("Running"));
      for (let i = 0; i < turns; i++) await Promise.resolve();
      reporter.report(report("Completed"));
      await reporter.flush();
      expect(told).toEqual(["Running", "Completed"]);
    }
  });

  it("that is refused is said, and what follows goes on", async ({ expect }) => {
    const errors: unknown[] = [];
    const refusals = [new Error("no"), null];
    const { told, client } = arrivals(() => refusals.shift() ?? null);
    const reporter = new TaskReporter(client, (error) => errors.push(error));
    reporter.report(report("Running"));
    await reporter.flush();
    reporter.report(report("Completed"));
    await reporter.flush();
    expect([errors.map(String), told]).toEqual([["Error: no"], ["Completed"]]);
  });

  it("does not pile up while nobody is there", async ({ expect }) => {
    let errors = 0;
    const { told, client } = arrivals(() =>
      errors === 0 ? new ApiUnreachableError("http://plane.test", "gone") : null,
    );
    const reporter = new TaskReporter(client, () => void errors++);
    for (let i = 0; i < 1_500; i++) reporter.report(report(`Running ${i}`));
    await reporter.flush();
    expect([errors, told]).toEqual([1, []]);
  });
});
