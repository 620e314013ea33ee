/** Seeds our server and Prefect's with the same objects and holds every answer of ours against theirs. */
import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, it } from "vitest";
import { z } from "zod";
import {
  ACCEPTED_IN_READS,
  ACCEPTED_IN_REFUSALS,
  ACCEPTED_IN_WRITES,
  type AcceptedDifference,
  accepts,
  REFUSED_ANSWERS,
} from "./differential/accepted-differences.ts";
import { type Finding, Pair } from "./differential/pair.ts";
import { reads } from "./differential/reads.ts";
import { seed } from "./differential/seed.ts";
import { WRITES } from "./differential/writes.ts";
import { wrongFilters, wrongRequests } from "./differential/wrong-requests.ts";
import { type DescribedOperation, OpenApiDocument, operationsOf } from "./openapi-document.ts";
import { runPython } from "./python.ts";
import { type ComparedServer, startPrefect, startSluice } from "./servers.ts";

/** Where all differences are written, accepted or not, when this names a file. */
const REPORT = process.env["SLUICE_DIFFERENCES"];

let prefect: ComparedServer;
let sluice: ComparedServer;
let pair: Pair;
let operations: DescribedOperation[];
const used = new Set<AcceptedDifference>();
const all: Finding[] = [];

beforeAll(async () => {
  prefect = await startPrefect({ services: false });
  sluice = await startSluice();
  pair = new Pair(prefect.apiUrl, sluice.apiUrl);
  const installed = operationsOf(OpenApiDocument.parse(await runPython("describe.py")));
  const served = operationsOf(OpenApiDocument.parse(await (await fetch(`${sluice.apiUrl}/openapi.json`)).json()));
  operations = [...installed.values()].filter(({ key }) => served.has(key));
});

afterAll(async () => {
  if (REPORT !== undefined) writeFileSync(REPORT, JSON.stringify(all, null, 1));
  await Promise.all([prefect?.[Symbol.asyncDispose](), sluice?.[Symbol.asyncDispose]()]);
});

/** The differences that nothing accepts, one line for each operation, place in the answer and criterion. */
function unaccepted(accepted: readonly AcceptedDifference[]): string[] {
  const findings = pair.findings.splice(0);
  all.push(...findings);
  const lines = new Map<string, string>();
  for (const finding of findings) {
    const reason = accepted.find((difference) => accepts(difference, finding));
    if (reason !== undefined) {
      used.add(reason);
      continue;
    }
    const { operation, path, theirs, ours, title } = finding;
    const short = (value: unknown): string => (JSON.stringify(value) ?? "nothing").slice(0, 200);
    const place = path === "status" ? `${operation} ${title} status` : `${operation} ${path}`;
    if (!lines.has(place))
      lines.set(place, `${place}: theirs ${short(theirs)}, ours ${short(ours)} (${title.slice(0, 200)})`);
  }
  console.log(`${pair.compared} answers compared, ${findings.length} differences, ${lines.size} kinds not accepted`);
  return [...lines.values()];
}

describe("the same requests to Prefect's server and ours", () => {
  it("create the same objects", async ({ expect }) => {
    await seed(pair);
    expect(unaccepted(ACCEPTED_IN_READS)).toEqual([]);
  });

  it("read the same objects, by every field, operator and sort", async ({ expect }) => {
    for (const request of reads()) await pair.ask(request);
    expect(unaccepted(ACCEPTED_IN_READS)).toEqual([]);
  });

  it("change and delete the same", async ({ expect }) => {
    for (const request of WRITES) await pair.ask(request);
    expect(unaccepted([...ACCEPTED_IN_WRITES, ...ACCEPTED_IN_READS])).toEqual([]);
  });

  it("are answered by ours with what the installed package's models accept", async ({ expect }) => {
    const answers = Object.fromEntries(pair.ourAnswers);
    const problems = z.record(z.string(), z.array(z.string())).parse(await runPython("accept_answers.py", answers));
    const refused = Object.entries(problems).filter(([, found]) => found.length > 0);
    const asked = Object.keys(problems).length;
    const bodies = Object.keys(problems).reduce(
      (sum, operation) => sum + (pair.ourAnswers.get(operation)?.length ?? 0),
      0,
    );
    console.log(`${bodies} answers of ${asked} operations parsed, ${asked - refused.length} operations accepted`);
    expect(asked).toBeGreaterThan(60);
    const known = REFUSED_ANSWERS.map(({ operation }) => operation);
    expect(refused.filter(([operation]) => !known.includes(operation))).toEqual([]);
    // What is mended goes out of the list.
    expect(known.filter((operation) => problems[operation]?.length === 0)).toEqual([]);
  });

  it("are refused with the same status", async ({ expect }) => {
    for (const request of [...wrongRequests(operations), ...wrongFilters()]) await pair.askStatus(request);
    const broken = pair.findings.filter(({ ours }) => typeof ours === "number" && ours >= 500);
    expect(broken).toEqual([]);
    expect(unaccepted(ACCEPTED_IN_REFUSALS)).toEqual([]);
  });

  it("differ in everything that is accepted: take the other lines out of the list", ({ expect }) => {
    const listed = [...ACCEPTED_IN_READS, ...ACCEPTED_IN_WRITES, ...ACCEPTED_IN_REFUSALS];
    expect(listed.filter((difference) => !used.has(difference)).map(({ reason }) => reason)).toEqual([]);
  });
});
