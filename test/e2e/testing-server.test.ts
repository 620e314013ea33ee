/** The server fixture of `sluice/testing`, as a user's test has it. */
import { describe, it, vi } from "vitest";
import { createClient } from "../../sdk/client/index.ts";
import { configuredClient } from "../../sdk/flow/configuration.ts";
import { flow, task } from "../../sdk/index.ts";
import { filterFlowRuns } from "../../sdk/protocol/flow-runs.ts";
import { filterTaskRuns } from "../../sdk/protocol/task-runs.ts";
import { startTestServer } from "../../sdk/testing/index.ts";

describe("a test's own server", () => {
  it("has the runs of this process, through a lost connection too, until it is disposed of", async ({ expect }) => {
    const before = configuredClient();
    {
      await using server = await startTestServer();
      const cut = task({ name: "cut" }, async () => server.disconnect());
      const restore = task({ name: "restore" }, async () => server.reconnect());
      const made = flow({ name: "survives" }, async () => {
        await cut();
        await restore();
        return "done";
      });
      expect(await made()).toBe("done");
      const client = createClient({ url: server.apiUrl });
      // Lists are copies, which follow the runs.
      await vi.waitFor(async () => {
        const [run] = await client.call(filterFlowRuns, { body: {} });
        expect(run?.state_name).toBe("Completed");
        const tasks = await client.call(filterTaskRuns, { body: { sort: "EXPECTED_START_TIME_ASC" } });
        expect(tasks.map(({ name, state_name }) => [name, state_name])).toEqual([
          ["cut-0", "Completed"],
          ["restore-0", "Completed"],
        ]);
      }, 20_000);
      server.disconnect();
      await expect(fetch(server.origin)).rejects.toThrow();
    }
    expect(configuredClient()?.url).toBe(before?.url);
  });
});
