/** `sluice worker start`: takes runs from a work pool and runs each in a process of its own. */
import { createClient } from "../../../client/api-client.ts";
import { LIMITS } from "../../../protocol/limits.ts";
import { startHealthServer } from "../../../runner/health-server.ts";
import type { Infrastructure } from "../../../runner/infrastructure.ts";
import { processInfrastructure } from "../../../runner/process-infrastructure.ts";
import { Runner } from "../../../runner/runner.ts";
import { defineCommand } from "../../command.ts";
import { CliError } from "../../errors.ts";
import { EXIT } from "../../exit-codes.ts";
import { choice, flag, integer, repeated, required, text, withDefault } from "../../parameters.ts";
import { lineOf } from "./line.ts";

const GOODBYE_MS = 500;
const TYPES = ["process", "docker", "kubernetes", "ecs"] as const;

export const workerStart = defineCommand({
  noun: "worker",
  verb: "start",
  summary: "Take runs from a work pool and run them on this machine.",
  arguments: {},
  options: {
    pool: required(text("Work pool to take runs from.", { placeholder: "name", short: "p", env: "SLUICE_WORK_POOL" })),
    name: text("Name of this worker, unique in its pool. Default: machine and process number.", {
      placeholder: "name",
      short: "n",
      env: "SLUICE_WORKER_NAME",
    }),
    limit: withDefault(
      integer("Runs at the same time.", { min: 1, max: 10_000, short: "l", env: "SLUICE_WORKER_LIMIT" }),
      10,
    ),
    workQueue: repeated(
      text("Take runs of this queue only; may be given several times.", { placeholder: "name", short: "q" }),
    ),
    prefetch: withDefault(
      integer("Seconds before they are due in which runs are taken, so that what they run in is there on time.", {
        max: LIMITS.prefetchMs / 1_000,
        env: "SLUICE_WORKER_PREFETCH",
      }),
      0,
    ),
    createPoolIfNotFound: flag("Create the work pool if there is none."),
    runOnce: flag("Take the runs that are due, and stop when they are done."),
    type: withDefault(choice("How runs are run: has to be the type of the pool.", [...TYPES, "http"]), "process"),
    warm: withDefault(
      integer("Processes that are started beforehand, so that a run begins at once; each serves one run.", {
        max: 1_000,
        env: "SLUICE_WORKER_WARM",
      }),
      0,
    ),
    withHealthcheck: flag("Answer GET /health, on port 8080 unless --health-port says otherwise."),
    healthPort: withDefault(integer("Port for --with-healthcheck; 0 for any.", { max: 65_535 }), 8_080),
    healthHost: withDefault(text("Address for --with-healthcheck.", { placeholder: "address" }), "0.0.0.0"),
    killGrace: withDefault(integer("Seconds that a process gets to end before it is killed.", { max: 3_600 }), 10),
  },
  examples: ["sluice worker start --pool local", "sluice worker start --pool local --limit 4 --work-queue urgent"],
  async run({ options, connection, output }) {
    if (options.type === "http") {
      throw new CliError("A work pool of the type http needs no worker: its runs are pushed to a URL.", {
        fix: `Create it with a URL, and serve its flows there: sluice work-pool create ${options.pool} --type http --url URL`,
      });
    }
    const infrastructure = await infrastructureOf(options.type, options.warm);
    let stateAt = performance.now();
    const runner = new Runner({
      client: createClient({ url: connection.apiUrl, key: connection.apiKey ?? null }),
      poolName: options.pool,
      ...(options.name === undefined ? {} : { workerName: options.name }),
      limit: options.limit,
      workQueueNames: options.workQueue,
      prefetchMs: options.prefetch * 1_000,
      createPoolIfNotFound: options.createPoolIfNotFound,
      killGraceMs: options.killGrace * 1_000,
      runOnce: options.runOnce,
      infrastructure,
      onEvent: (event) => {
        if (event.kind === "state") stateAt = performance.now();
        const { value, text } = lineOf(event, { name: runner.workerName, pool: options.pool, url: connection.apiUrl });
        output.event(value, text);
      },
    });
    const status = () => ({
      state: runner.state,
      sinceMs: performance.now() - stateAt,
      activeRuns: runner.activeRuns,
    });
    await using health = options.withHealthcheck
      ? await startHealthServer(options.healthPort, options.healthHost, status)
      : null;
    if (health !== null) {
      output.event({ event: "health", port: health.port }, `GET /health is answered on port ${health.port}.`);
    }
    let signals = 0;
    const stop = (signal: NodeJS.Signals): void => {
      signals++;
      if (signals === 1) runner.drain(`${signal} was received`);
      else void runner.stopNow(`${signal} was received again`);
    };
    const watched = ["SIGTERM", "SIGINT", "SIGHUP"] as const;
    for (const signal of watched) process.on(signal, stop);
    runner.start();
    const { error } = await runner.stopped;
    for (const signal of watched) process.off(signal, stop);
    if (error !== null) throw error;
    const exitCode = signals > 1 ? EXIT.interrupted : EXIT.ok;
    // A server that does not answer the close of the connection must not keep a worker that is done.
    setTimeout(() => process.exit(exitCode), GOODBYE_MS).unref();
    return exitCode;
  },
});

/** What a type needs is loaded only by workers of that type. */
async function infrastructureOf(type: (typeof TYPES)[number], warm: number): Promise<Infrastructure> {
  switch (type) {
    case "process":
      return processInfrastructure(warm);
    case "docker":
      return await (await import("../../../runner/docker/docker-infrastructure.ts")).dockerInfrastructure();
    case "kubernetes":
      return await (await import("../../../runner/kubernetes/kubernetes-infrastructure.ts")).kubernetesInfrastructure();
    case "ecs":
      return await (await import("../../../runner/ecs/ecs-infrastructure.ts")).ecsInfrastructure();
  }
}
