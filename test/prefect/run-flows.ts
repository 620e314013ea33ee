/**
 * Runs real flows of Prefect against our server, and compares what it knows of them with what Prefect's own server knows.
 *
 *   npm run test:prefect                   compares with the recorded transcripts
 *   npm run test:prefect -- --both         runs Prefect's server, too, and compares with that
 *   npm run test:prefect -- --record       runs Prefect's server only, and writes the transcripts anew
 *   npm run test:prefect -- --only pause   those whose names contain the word (may be repeated)
 *   npm run test:prefect -- --quick        without those that are said to be `not_quick`, as in CI
 *   npm run test:prefect -- --all          also those that are said to be `not_yet`
 */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ACCEPTED_FLOW_DIFFERENCES, type AcceptedFlowDifference } from "./accepted-flow-differences.ts";
import type { Outcome, Scenario } from "./flow-sessions.ts";
import { type FlowSuiteOptions, runFlowSuite } from "./flow-suite.ts";
import { keepActual, record, recorded } from "./recorded-transcripts.ts";
import { type ComparedServer, startPrefect, startSluice } from "./servers.ts";
import { type Difference, describe, differences, type Transcript } from "./transcript-diff.ts";
import { CACHE } from "./venv.ts";

const SHOWN_DIFFERENCES = 15;
/** Prefect's own loops, so that what they do happens while somebody watches. */
const QUICK_SERVICES = {
  // Its SQLite takes one writer at a time: who waits longer is not answered 503.
  PREFECT_SERVER_DATABASE_TIMEOUT: "120",
  PREFECT_SERVER_DATABASE_CONNECTION_TIMEOUT: "120",
  PREFECT_SERVER_SERVICES_CANCELLATION_CLEANUP_LOOP_SECONDS: "1",
  PREFECT_SERVER_SERVICES_PAUSE_EXPIRATIONS_LOOP_SECONDS: "1",
  PREFECT_SERVER_SERVICES_SCHEDULER_RECENT_DEPLOYMENTS_LOOP_SECONDS: "1",
};

const { values: options } = parseArgs({
  options: {
    record: { type: "boolean", default: false },
    both: { type: "boolean", default: false },
    all: { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
    only: { type: "string", multiple: true, default: [] },
  },
});

const neededDifferences = new Set<AcceptedFlowDifference>();
const counts = { passed: 0, failed: 0, skipped: 0 };
const isMeant = ({ name, notQuick }: Scenario): boolean =>
  (options.only.length === 0 || options.only.some((word) => name.includes(word))) &&
  !(options.quick && notQuick !== "");

const startedAt = performance.now();
// Servers and Python processes are in process groups of their own, so they end only when they are told to.
await using cleanup = new AsyncDisposableStack();
let interrupted = false;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.once(signal, () => {
    interrupted = true;
    void cleanup.disposeAsync().finally(() => process.exit(1));
  });
}
if (options.record || options.both) await runAgainstPrefect();
if (!options.record) await runAgainstSluice();
console.log(`Took ${Math.round((performance.now() - startedAt) / 1_000)} s.`);
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = counts.failed === 0 && !interrupted ? 0 : 1;

async function runAgainstPrefect(): Promise<void> {
  await using server = await owned(startPrefect({ env: QUICK_SERVICES }));
  console.log(`Prefect's own server: ${server.apiUrl}`);
  await runFlowSuite({
    ...shared(server.apiUrl, "prefect"),
    // It records task runs with a delay, and answers 503 to more than a few callers.
    settleMs: 2_500,
    patience: 3,
    subflowsAtOnce: 5,
    processes: 1,
    atOnce: 1,
    wanted: isMeant,
    isRight: () => true,
    onDone: (scenario, { error, transcript }, seconds) => {
      if (error === null && transcript !== null) record(scenario.name, transcript);
      if (error !== null || options.record) report(scenario, seconds, error === null ? [] : [error]);
    },
  });
}

async function runAgainstSluice(): Promise<void> {
  await using server = await owned(startSluice());
  console.log(`Sluice: ${server.apiUrl}`);
  await runFlowSuite({
    ...shared(server.apiUrl, "sluice"),
    settleMs: 300,
    patience: 1,
    subflowsAtOnce: 100,
    processes: 2,
    atOnce: 4,
    wanted: (scenario) => isMeant(scenario) && (options.all || !isSkipped(scenario)),
    isRight: (outcome) => complaints(outcome).length === 0,
    onDone: (scenario, outcome, seconds) => {
      const lines = complaints(outcome);
      const kept =
        lines.length > 0 && outcome.transcript !== null ? keepActual(scenario.name, outcome.transcript) : null;
      report(scenario, seconds, kept === null ? lines : [...lines, `The whole transcript: ${kept}`]);
    },
  });
  const everything = options.only.length === 0 && !options.quick;
  const unneeded = ACCEPTED_FLOW_DIFFERENCES.filter((difference) => everything && !neededDifferences.has(difference));
  for (const { reason } of unneeded) {
    counts.failed += 1;
    console.log(`FAILED  no scenario differs so any more; take it out of accepted-flow-differences.ts: ${reason}`);
  }
  if (server.stderr() !== "") console.log(`The server wrote to standard error:\n${server.stderr()}`);
}

/** Its server ends with this program, also when that ends while the server starts. */
async function owned(starting: Promise<ComparedServer>): Promise<ComparedServer> {
  cleanup.defer(() =>
    starting.then(
      (server) => server[Symbol.asyncDispose](),
      () => {},
    ),
  );
  return starting;
}

function shared(apiUrl: string, server: string): Pick<FlowSuiteOptions, "apiUrl" | "logFile" | "owner"> {
  mkdirSync(CACHE, { recursive: true });
  const logFile = join(CACHE, `flows-against-${server}.log`);
  rmSync(logFile, { force: true });
  return { apiUrl, logFile, owner: cleanup };
}

function isSkipped({ name, notYet }: Scenario): boolean {
  if (notYet === "") return false;
  counts.skipped += 1;
  console.log(`skipped ${name}: ${notYet}`);
  return true;
}

/** What is wrong with an outcome, in lines. */
function complaints({ name, error, transcript }: Outcome): readonly string[] {
  const expected = recorded(name);
  if (expected === null) return [`No transcript of it is recorded: npm run test:prefect -- --record --only ${name}`];
  const found = transcript === null ? [] : unaccepted(name, expected, transcript);
  const lines = found.slice(0, SHOWN_DIFFERENCES).map(describe);
  if (found.length > SHOWN_DIFFERENCES) lines.push(`… and ${found.length - SHOWN_DIFFERENCES} more differences`);
  return error === null ? lines : [error, ...lines];
}

function unaccepted(name: string, expected: Transcript, actual: Transcript): readonly Difference[] {
  const accepted = ACCEPTED_FLOW_DIFFERENCES.filter(({ scenario }) => scenario.test(name));
  return differences(expected, actual).filter((one) => {
    const acceptance = accepted.find(({ path, holds }) => path.test(one.path) && holds(one));
    if (acceptance) neededDifferences.add(acceptance);
    return acceptance === undefined;
  });
}

function report({ name }: Scenario, seconds: number, lines: readonly string[]): void {
  counts[lines.length === 0 ? "passed" : "failed"] += 1;
  console.log(`${lines.length === 0 ? "passed " : "FAILED "} ${name} (${seconds.toFixed(1)} s)`);
  for (const line of lines) console.log(line.trimEnd().replace(/^/gm, "    "));
}
