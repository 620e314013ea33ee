/** `sluice worker start` in this process, against a pool that a test plays. */
import { afterAll, describe, it, vi } from "vitest";
import { EXIT } from "../../../sdk/cli/exit-codes.ts";
import { runCli } from "../../../sdk/cli/run-cli.ts";
import { eventually } from "../../support/eventually.ts";
import { ownSigterm } from "../own-sigterm.ts";
import { RUN_ID, type ScriptedPool, startScriptedPool, ticket } from "../runner/scripted-pool.ts";

// A worker that is done ends its process after a moment.
let done = 0;
let ended = 0;
vi.spyOn(process, "exit").mockImplementation((() => (ended += 1)) as never);
afterAll(() => eventually("all that are done have ended their process", () => ended === done));

ownSigterm();

function start(pool: ScriptedPool, ...words: string[]) {
  const lines: string[] = [];
  const write = (text: string): void => void lines.push(text);
  const code = runCli({
    words: ["worker", "start", "--pool", "local", "--name", "w1", ...words],
    environment: { SLUICE_API_URL: pool.url },
    streams: { out: write, err: write } as Parameters<typeof runCli>[0]["streams"],
  });
  void code.then((value) => {
    if (value === EXIT.ok || value === EXIT.interrupted) done += 1;
  });
  return { code, text: () => lines.join("\n") };
}

describe("sluice worker start", () => {
  it("tells the pool what its options say, and ends with 0 when it is asked to", async ({ expect }) => {
    await using pool = await startScriptedPool();
    const { code } = start(pool, "--limit", "3", "--prefetch", "5", "--work-queue", "urgent", "-q", "slow");
    const connection = await eventually("hello", () => pool.connections.find((one) => one.frames().length > 0));
    expect(connection.frames()[0]).toMatchObject({
      worker_name: "w1",
      worker_type: "process",
      limit: 3,
      prefetch_ms: 5_000,
      work_queue_names: ["urgent", "slow"],
    });
    process.emit("SIGTERM", "SIGTERM");
    expect(await code).toBe(0);
  });

  it("waits for its runs after the first signal, ends them after the second, and answers 130 then", async ({
    expect,
  }) => {
    await using pool = await startScriptedPool();
    const { code, text } = start(pool);
    const connection = await eventually("hello", () => pool.connections.find((one) => one.frames().length > 0));
    connection.send({ type: "run", ticket: ticket(1) });
    await eventually("its process waits", () => pool.runConnections > 0);
    process.emit("SIGTERM", "SIGTERM");
    await eventually("it drains", () => text().includes("SIGTERM was received"));
    expect(connection.frames().some(({ type }) => type === "released")).toBe(false);
    process.emit("SIGTERM", "SIGTERM");
    expect(await code).toBe(130);
  });

  it("gives a process the seconds that are said to end by itself", async ({ expect }) => {
    await using pool = await startScriptedPool();
    const { code, text } = start(pool, "--kill-grace", "1");
    const connection = await eventually("hello", () => pool.connections.find((one) => one.frames().length > 0));
    const env = { NODE_OPTIONS: "--import=data:text/javascript,process.on('SIGTERM',()=>{})" };
    connection.send({ type: "run", ticket: { ...ticket(1), job_variables: { env } } });
    await eventually("its process waits", () => pool.runConnections > 0);
    connection.send({ type: "kill", flow_run_id: RUN_ID, generation: 1 });
    const toldAt = performance.now();
    await eventually("it was killed", () => text().includes("SIGKILL"));
    expect(performance.now() - toldAt).toBeGreaterThan(900);
    process.emit("SIGTERM", "SIGTERM");
    expect(await code).toBe(0);
  });

  it("that the pool refuses fails, and says why", async ({ expect }) => {
    await using pool = await startScriptedPool();
    pool.document = { type: "docker" };
    const { code, text } = start(pool);
    expect(await code).toBe(1);
    expect(text()).toContain('Work pool "local" is of type "docker", and this worker of type "process"');
  });
});
