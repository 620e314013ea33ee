/**
 * Three workers and their server, which are killed at random, and messages that come twice and late: every run ends, none
 * is lost or executed twice at once, and no limit is exceeded. Shown to
 * fail without the guard in `Reserver.giveBack` (a run that waited for a slot lost its place in a restart), and with limits
 * that `DeploymentLimits` does not see. SLUICE_CHAOS_SEED plays another round; the seed of a round
 * that failed is in its message.
 */
import { existsSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, it } from "vitest";
import { createFlowRunFromDeployment, updateDeployment } from "../../sdk/protocol/deployments.ts";
import type { DeploymentId, FlowRunId } from "../../sdk/protocol/ids.ts";
import { isTerminal } from "../../sdk/protocol/states.ts";
import { readWhy } from "../../sdk/protocol/why.ts";
import { updateWorkPool } from "../../sdk/protocol/work-pools.ts";
import { eventually } from "../support/eventually.ts";
import { startTestServer } from "../support/server.ts";
import { type Evidence, type Execution, executionsOf, violations } from "./chaos/judge.ts";
import { putByMessages, randomFrom, sendPutBy, Workers } from "./chaos/world.ts";
import { controlPlane, traceFile } from "./control-plane.ts";

const isFull = process.env["SLUICE_TEST_BUDGET"] === "full";
const SEED = Number(process.env["SLUICE_CHAOS_SEED"] ?? 20_261_121);
const RUNS = isFull ? 500 : 24;
const BLOWS = isFull ? 40 : 5;
const ENDS_WITHIN_MS = isFull ? 900_000 : 120_000;
const POOL = "chaos";
const WORKERS = 3;
const POOL_SLOTS = 5;
/** Slots of the deployments; "free" has no limit of its own. */
const LIMITS = { one: 1, two: 2 } as const;

describe("under chaos", () => {
  it("every run ends, none is lost, none is executed twice at once, and limits hold", {
    timeout: ENDS_WITHIN_MS + 120_000,
  }, async ({ expect }) => {
    const random = randomFrom(SEED);
    const below = (count: number): number => Math.floor(random() * count);
    await using server = await startTestServer({ env: { SLUICE_HEARTBEAT_MS: "1000" } });
    using trace = traceFile();
    const plane = controlPlane(server.apiUrl);
    await plane.pool(POOL);
    await plane.client.call(updateWorkPool, { params: { name: POOL }, body: { concurrency_limit: POOL_SLOTS } });
    const deployments: { id: DeploymentId; limit: string }[] = [];
    for (const [limit, slots] of Object.entries({ ...LIMITS, free: null })) {
      const id = await plane.deploy("test/e2e/flows/beats.ts:beats", POOL, { name: limit });
      if (slots !== null)
        await plane.client.call(updateDeployment, { params: { id }, body: { concurrency_limit: slots } });
      deployments.push({ id, limit });
    }
    await using workers = new Workers({ apiUrl: server.apiUrl, pool: POOL, limit: 3 }, WORKERS);

    const asked = new Map<FlowRunId, string>();
    const make = async (count: number): Promise<void> => {
      for (let index = 0; index < count; index++) {
        const { id, limit } = deployments[below(deployments.length)] ?? { id: "" as DeploymentId, limit: "" };
        const body = {
          parameters: { trace: trace.path, forMs: 300 + below(1_200) },
          idempotency_key: `r${asked.size}`,
        };
        const run = await plane.client.call(createFlowRunFromDeployment, { params: { id }, body });
        asked.set(run.id, limit);
      }
    };
    let sentAgain = 0;
    const anyRun = (): string => [...asked.keys()][below(asked.size)] ?? "";
    const traced = (): Execution[] => (existsSync(trace.path) ? executionsOf(readFileSync(trace.path, "utf8")) : []);
    for (let blow = 0; blow < BLOWS; blow++) {
      await make(Math.ceil(RUNS / BLOWS));
      // Somebody is executed when the blow comes, unless all are done or waiting.
      const before = traced().length;
      await eventually("more is executed", () => traced().length > before, { withinMs: 5_000 }).catch(() => undefined);
      await sleep(below(600));
      // The first blows are one of each kind, whatever the seed.
      if (blow === 1 || (blow > 2 && random() < 0.3)) {
        await server.kill("SIGKILL");
        putByMessages(server, Array.from({ length: 20 }, anyRun));
        if (random() < 0.5) await workers.kill(below(WORKERS));
        await server.restart();
      } else if (blow === 0 || random() < 0.7) await workers.kill(below(WORKERS));
      else sentAgain += await sendPutBy(plane);
    }
    sentAgain += await sendPutBy(plane);

    await eventually(
      "every run has ended",
      async () => {
        for (const id of asked.keys()) if (!isTerminal((await plane.read(id)).state_type)) return false;
        return true;
      },
      { withinMs: ENDS_WITHIN_MS },
    ).catch((error: unknown) => {
      // Which runs have not ended is told below.
      console.warn(String(error));
    });
    // Sent again when all is over, they do nothing.
    sentAgain += await sendPutBy(plane);
    const runs = await Promise.all(
      [...asked].map(async ([id, limit]) => ({ id, limit, stateType: (await plane.read(id)).state_type })),
    );
    const executions = traced();
    const limitOf = { ...LIMITS };
    const found = violations({ asked: [...asked.keys()], runs, executions, limits: limitOf, killed: workers.killed });
    const ofPool = runs.map((run) => ({ ...run, limit: POOL }));
    found.push(
      ...violations({ asked: [], runs: ofPool, executions, limits: { [POOL]: POOL_SLOTS }, killed: workers.killed }),
    );
    for (const { id, stateType } of runs) {
      if (isTerminal(stateType)) continue;
      found.push(JSON.stringify(await plane.client.call(readWhy, { params: { id } })));
    }
    expect(found, `seed ${SEED}\n${found.length > 0 ? workers.text() : ""}`).toEqual([]);
    expect(sentAgain).toBeGreaterThan(0);
    const completed = runs.filter(({ stateType }) => stateType === "COMPLETED");
    console.info(`chaos: ${runs.length} runs, ${completed.length} completed, ${executions.length} executions`);
    expect(completed.length).toBeGreaterThan(RUNS / 3);
  });
});

describe("the judge of chaos", () => {
  const execution = { run: "a", pid: 1, fromMs: 1_700_000_000_000, toMs: 1_700_000_000_100, isComplete: true };
  const run = { id: "a", stateType: "COMPLETED", limit: "one" };
  const well: Evidence = {
    asked: ["a"],
    runs: [run],
    executions: [execution],
    limits: { one: 1 },
    killed: new Set(),
  };
  const later = { ...execution, pid: 2, fromMs: execution.toMs + 1, toMs: execution.toMs + 50 };

  it("has nothing against a run that was executed again after its process was killed", ({ expect }) => {
    expect(violations(well)).toEqual([]);
    const killed = { ...execution, isComplete: false };
    expect(violations({ ...well, executions: [killed, later], killed: new Set([1]) })).toEqual([]);
  });

  it.for([
    ["lost", { runs: [] }],
    ["no end", { runs: [{ ...run, stateType: "RUNNING" }] }],
    ["nobody executed it", { executions: [{ ...execution, isComplete: false }] }],
    ["twice", { executions: [execution, later] }],
    [
      "at the same time",
      {
        executions: [
          { ...execution, isComplete: false },
          { ...later, fromMs: execution.toMs },
        ],
      },
    ],
    ["nobody killed", { runs: [{ ...run, stateType: "CRASHED" }], executions: [{ ...execution, isComplete: false }] }],
    [
      "under limit one of 1",
      {
        asked: ["a", "b"],
        runs: [run, { ...run, id: "b" }],
        executions: [execution, { ...execution, run: "b", pid: 2 }],
      },
    ],
  ] as const)("finds what is %s", ([words, change], { expect }) => {
    expect(violations({ ...well, ...change }).join()).toContain(words);
  });

  it("reads the lines of executions, and no half ones", ({ expect }) => {
    const text =
      "beat a 1 1700000000000\nbeat a 1 1700000000100\nend a 1 1700000000200\nbeat b 2 1700000000000\nbeat b 2 17000";
    expect(executionsOf(text)).toEqual([
      { run: "a", pid: 1, fromMs: 1_700_000_000_000, toMs: 1_700_000_000_200, isComplete: true },
      { run: "b", pid: 2, fromMs: 1_700_000_000_000, toMs: 1_700_000_000_000, isComplete: false },
    ]);
  });
});
