/** The commands about pools, deployments and runs, typed one after the other against a real server and worker. */
import { afterAll, beforeAll, describe, it } from "vitest";
import { setFlowRunState } from "../../sdk/protocol/flow-runs.ts";
import { type StartedWorker, startWorker } from "../support/runner.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { type Ended, sluice } from "../support/sluice.ts";
import { type ControlPlane, controlPlane } from "./control-plane.ts";

const POOL = "typed";
let server: TestServer;
let worker: StartedWorker;
let plane: ControlPlane;

beforeAll(async () => {
  server = await startTestServer();
  plane = controlPlane(server.apiUrl);
  const made = await type("work-pool", "create", POOL, "--concurrency-limit", "2");
  if (made.exitCode !== 0) throw new Error(made.stderr);
  worker = await startWorker({ apiUrl: server.apiUrl, pool: POOL });
  await plane.deploy("examples/hello.ts:hello", POOL, { name: "hello" });
  await plane.deploy("test/e2e/flows/steps.ts:exits", POOL, { name: "exits" });
});
afterAll(async () => {
  await worker?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
});

function type(...words: string[]): Promise<Ended> {
  return sluice(words, { env: { SLUICE_API_URL: server.apiUrl } });
}

async function typeForJson(...words: string[]): Promise<unknown> {
  const { exitCode, stdout, stderr } = await type(...words, "--output", "json");
  if (exitCode !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

describe("sluice work-pool", () => {
  it("ls lists pools, for people and for programs", async ({ expect }) => {
    expect((await type("work-pool", "ls")).stdout).toMatch(/NAME +TYPE +STATUS +LIMIT[\s\S]*typed +process +\S+ +2/);
    expect(await typeForJson("work-pool", "ls")).toMatchObject([{ name: POOL, type: "process", concurrency_limit: 2 }]);
  });

  it.for([
    ["docker", "sluice worker start --pool next --type docker"],
    ["proces", "Did you mean process?"],
  ] as const)("create says what is next for a pool of type %s", async ([ofType, next], { expect }) => {
    const pool = `next-${ofType}`;
    const { exitCode, stdout } = await type("work-pool", "create", pool, "--type", ofType);
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining(next.replace("next", pool))]);
    const started = await type("worker", "start", "--pool", pool);
    expect([started.exitCode, started.stderr]).toEqual([
      1,
      expect.stringContaining(`"${pool}" is of type "${ofType}"`),
    ]);
  });

  it("create makes no pool when the secret of its pushes cannot be one", async ({ expect }) => {
    const words = [
      "work-pool",
      "create",
      "pushed",
      "--type",
      "http",
      "--url",
      "http://127.0.0.1:1",
      "--secret",
      "short",
    ];
    expect((await type(...words)).exitCode).toBe(2);
    expect(JSON.stringify(await typeForJson("work-pool", "ls"))).not.toContain("pushed");
  });

  it("is changed, rests, goes on and is deleted", async ({ expect }) => {
    await type("work-pool", "create", "changing");
    const shown = () => typeForJson("work-pool", "inspect", "changing");
    const said = async (...words: string[]) => (await type("work-pool", ...words)).stdout.trim();
    expect(await said("update", "changing", "--concurrency-limit", "3", "--description", "changes")).toMatch(
      /LIMIT +3/,
    );
    expect(await shown()).toMatchObject({
      concurrency_limit: 3,
      description: "changes",
      queues: [{ name: "default" }],
    });
    await said("update", "changing", "--concurrency-limit", "none");
    expect(await said("pause", "changing")).toMatch(/^Work pool "changing" rests/);
    expect(await shown()).toMatchObject({ concurrency_limit: null, is_paused: true, workers: [] });
    expect(await said("resume", "changing")).toBe('Work pool "changing" goes on.');
    expect(await shown()).toMatchObject({ is_paused: false });
    expect(await said("delete", "changing")).toBe('Work pool "changing" was deleted.');
    const gone = await type("work-pool", "pause", "changing");
    expect([gone.exitCode, gone.stderr]).toEqual([5, expect.stringMatching(/changing[\s\S]*→/)]);
    const wrong = await type("work-pool", "update", POOL, "--concurrency-limit", "few");
    expect([wrong.exitCode, wrong.stderr]).toEqual([2, expect.stringContaining("neither a whole number nor none")]);
  });

  it("shows its workers, and has queues of its own", async ({ expect }) => {
    expect((await type("worker", "ls", POOL)).stdout).toMatch(/NAME +STATUS[\s\S]* ONLINE /);
    expect((await type("work-pool", "inspect", POOL)).stdout).toMatch(/Workers +\S+ \(online\)/);
    const urgent = `${POOL}/urgent`;
    const queues = async () =>
      ((await typeForJson("work-queue", "ls", POOL)) as Record<string, unknown>[]).map(
        ({ name, priority, concurrency_limit, is_paused }) => [name, priority, concurrency_limit, is_paused],
      );
    await type("work-queue", "create", urgent, "--priority", "1", "--concurrency-limit", "1");
    expect(await queues()).toEqual([
      ["urgent", 1, 1, false],
      ["default", 2, null, false],
    ]);
    await type("work-queue", "update", urgent, "--priority", "3", "--concurrency-limit", "none");
    expect((await type("work-queue", "pause", urgent)).stdout).toMatch(/^Work queue "urgent" of "typed" rests/);
    expect(await queues()).toContainEqual(["urgent", 3, null, true]);
    await type("work-queue", "resume", urgent);
    expect(await queues()).toContainEqual(["urgent", 3, null, false]);
    expect((await type("work-queue", "delete", urgent)).exitCode).toBe(0);
    expect(await queues()).toHaveLength(1);
    const unnamed = await type("work-queue", "pause", "urgent");
    expect([unnamed.exitCode, unnamed.stderr]).toEqual([2, expect.stringContaining("not of the form pool/queue")]);
  });

  it("create refuses a name that is taken", async ({ expect }) => {
    const { exitCode, stderr } = await type("work-pool", "create", POOL);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/typed[\s\S]*→/);
  });
});

describe("sluice deployment", () => {
  it("ls lists deployments with their flows", async ({ expect }) => {
    const { stdout } = await type("deployment", "ls");
    expect(stdout).toMatch(/e2e\/hello +typed +\S+ +examples\/hello\.ts:hello +0/);
  });

  it("run --watch shows states and logs, and ends with 0 when the run is Completed", async ({ expect }) => {
    const { exitCode, stdout } = await type(
      "deployment",
      "run",
      "e2e/hello",
      "--param",
      "name=Ada Lovelace",
      "--watch",
    );
    expect(stdout).toMatch(/was created[\s\S]*INFO .*Hello, Ada Lovelace![\s\S]*STATE Completed/);
    expect(exitCode).toBe(0);
  });

  it("run --watch ends with 1 when it is not", async ({ expect }) => {
    const { exitCode, stdout } = await type("deployment", "run", "e2e/exits", "--param", "trace=/dev/null", "--watch");
    expect(stdout).toMatch(/STATE Crashed — The run's process is gone/);
    expect(exitCode).toBe(1);
  });

  it("run refuses what is not a deployment", async ({ expect }) => {
    expect(await type("deployment", "run", "hello")).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("flow/deployment"),
    });
    expect(await type("deployment", "run", "e2e/nothing")).toMatchObject({ exitCode: 5 });
    const { exitCode, stderr } = await type("deployment", "run", "e2e/hello", "--param", "name");
    expect(exitCode).toBe(2);
    expect(stderr).toContain("name=value");
  });
});

describe("sluice deployment flow-control", () => {
  const control = (...words: string[]) => type("deployment", "flow-control", "e2e/hello", ...words);
  const kept = async () => {
    const { holders, waiters, ...rest } = (await typeForJson("deployment", "flow-control", "e2e/hello")) as object & {
      readonly holders: unknown[];
      readonly waiters: unknown[];
    };
    return rest;
  };
  const none = { concurrency: null, debounce: null, throttle: null, on_lost: null, time_to_live_seconds: null };

  it("sets each part by itself, shows it, and takes it away again", async ({ expect }) => {
    const key = "parameters.name";
    const shown = await control("--key", key, "--limit", "2", "--strategy", "round-robin", "--debounce", "1m");
    expect(shown.stdout).toMatch(
      /Key +parameters\.name\nLimit +2\nStrategy +round-robin\nDebounce +60 s by deployment/,
    );
    expect(shown.stdout).toContain("No run holds a slot of its key, and none waits for one.");
    await control("--throttle", "5/90", "--throttle-key", key, "--on-lost", "retry", "--time-to-live", "1h");
    const all = {
      concurrency: { key, limit: 2, strategy: "round-robin" },
      debounce: { key: null, seconds: 60 },
      throttle: { key, limit: 5, seconds: 90 },
      on_lost: "retry",
      time_to_live_seconds: 3_600,
    };
    expect(await kept()).toEqual(all);
    await control("--debounce-key", key, "--throttle-key", "none", "--throttle", "7/500ms", "--key", "none");
    expect(await kept()).toEqual({
      ...all,
      concurrency: { ...all.concurrency, key: null },
      debounce: { key, seconds: 60 },
      throttle: { key: null, limit: 7, seconds: 0.5 },
    });
    await control("--off", "--debounce", "none", "--time-to-live", "0", "--on-lost", "crash");
    expect(await kept()).toEqual({ ...none, throttle: { key: null, limit: 7, seconds: 0.5 }, on_lost: "crash" });
    expect((await control("--throttle", "none")).stdout).toMatch(/Throttle +-\nOn loss +crashed\nTime to live +-/);
    expect(await kept()).toEqual({ ...none, on_lost: "crash" });
  });

  it("lists the runs that hold a slot of their key, and those that wait, with their places", async ({ expect }) => {
    const pool = "unserved";
    await type("work-pool", "create", pool);
    const id = await plane.deploy("examples/hello.ts:hello", pool, { name: "keyed" });
    await type("deployment", "flow-control", "e2e/keyed", "--key", "parameters.name", "--limit", "1");
    const first = await plane.trigger(id, { name: "ada" });
    const second = await plane.trigger(id, { name: "ada" }, Date.now() + 1);
    for (const run of [first, second]) {
      const body = { state: { type: "PENDING" as const } };
      await plane.client.call(setFlowRunState, { params: { id: run.id }, body });
    }
    const { stdout } = await type("deployment", "flow-control", "e2e/keyed");
    expect(stdout).toMatch(/ +PLACE +KEY +FLOW RUN +SINCE\n/);
    expect(stdout).toMatch(new RegExp(`runs +- +ada +${first.id} [^\\n]+\\nwaits +1 +ada +${second.id} `));
  });
});

describe("sluice deployment limit", () => {
  const limit = (...words: string[]) => type("deployment", "limit", "e2e/exits", ...words);
  const kept = () => typeForJson("deployment", "limit", "e2e/exits");

  it("gives a deployment a limit of its own, and takes it away", async ({ expect }) => {
    const shown = await limit("--limit", "2", "--collision", "cancel-new", "--grace", "2m");
    expect(shown.stdout).toMatch(
      /Limit +2\nName +deployment:\S+\nShared +no[\s\S]*Collision +CANCEL_NEW\nGrace +120 s/,
    );
    expect(shown.stdout).toContain("sluice limit holders deployment:");
    expect((await type("deployment", "inspect", "e2e/exits")).stdout).toMatch(
      /Concurrency limit +2 \(deployment:\S+, 0 in use, CANCEL_NEW, grace 120 s\)/,
    );
    await limit("--limit", "3");
    await limit("--collision", "enqueue");
    expect(await kept()).toMatchObject({
      global_concurrency_limit: { limit: 3 },
      concurrency_options: { collision_strategy: "ENQUEUE", grace_period_seconds: 120 },
      active_slots: 0,
      waiters: [],
    });
    expect((await limit("--off")).stdout).toMatch(/Limit +-\nName +-/);
    expect(await kept()).toEqual({ global_concurrency_limit: null, concurrency_options: null });
  });

  it("has it share a limit with others, which is not changed through it", async ({ expect }) => {
    await type("limit", "create", "shared-db", "--limit", "4");
    expect((await limit("--shared", "shared-db")).stdout).toMatch(/Limit +4\nName +shared-db\nShared +yes/);
    const refused = await limit("--limit", "1");
    expect([refused.exitCode, refused.stderr]).toEqual([2, expect.stringContaining("sluice limit update shared-db")]);
    expect(await kept()).toMatchObject({ global_concurrency_limit: { name: "shared-db", limit: 4 } });
    await limit("--off");
    expect((await type("limit", "inspect", "shared-db")).exitCode).toBe(0);
    expect((await limit("--shared", "nobody")).exitCode).toBe(5);
    const twice = await limit("--limit", "1", "--off");
    expect([twice.exitCode, twice.stderr]).toEqual([2, expect.stringContaining("each say what the limit is to be")]);
    const without = await limit("--collision", "enqueue");
    expect([without.exitCode, without.stderr]).toEqual([2, expect.stringContaining("a limit that is not there")]);
  });
});

describe("sluice flow-run", () => {
  it("ls, inspect and logs show a run", async ({ expect }) => {
    const run = (await typeForJson(
      "deployment",
      "run",
      "e2e/hello",
      "--param",
      'name="Grace"',
      "--name",
      "typed-run",
    )) as { id: string };
    const followed = await type("flow-run", "logs", run.id, "--follow");
    expect(followed.exitCode).toBe(0);
    expect(followed.stdout).toMatch(/Hello, Grace![\s\S]*STATE Completed/);
    const lines = (await type("flow-run", "logs", run.id)).stdout;
    expect(lines).toMatch(/INFO {2}greet-\S+: Finished in state Completed after/);

    expect((await type("flow-run", "logs", run.id)).stdout.match(/Hello, Grace!/g)).toHaveLength(1);
    expect((await type("flow-run", "logs", run.id, "--level", "error")).stdout).toBe("");
    expect((await type("flow-run", "ls", "--state", "completed")).stdout).toMatch(/typed-run +Completed/);
    expect(await typeForJson("flow-run", "ls", "--state", "failed")).toEqual([]);
    expect((await type("flow-run", "inspect", run.id)).stdout).toMatch(
      /State +Completed[\s\S]*{"name":"Grace"}[\s\S]*greet-\S+ +Completed +1/,
    );
    expect(await typeForJson("flow-run", "inspect", run.id)).toMatchObject({
      id: run.id,
      task_runs: [{ run_count: 1 }],
    });
  });

  it("says so when there is no such run", async ({ expect }) => {
    expect((await type("flow-run", "inspect", "nonsense")).exitCode).toBe(2);
    expect((await type("flow-run", "inspect", "01a1fcd3-d6d8-7000-8002-765f2ce24811")).exitCode).toBe(5);
    expect((await type("flow-run", "ls", "--state", "done")).stderr).toContain("not one of scheduled");
  });
});
