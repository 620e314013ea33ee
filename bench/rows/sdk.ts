/** What the SDK itself costs: no-op tasks, beside Prefect's client on its own server; loading it, its size, its memory. */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { loadedBy } from "../../package-core.ts";
import { prefectEnvironment, startPrefect } from "../../test/prefect/servers.ts";
import { prefectPython } from "../../test/prefect/venv.ts";
import { percentiles } from "../load.ts";
import { startMeasuredServer } from "../server.ts";
import { type Bench, perSecond, type Row } from "./row.ts";

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const OURS = fileURLToPath(new URL("../sdk/no-ops.ts", import.meta.url));
const THEIRS = fileURLToPath(new URL("../sdk/no_ops.py", import.meta.url));
const PACKAGED = join(ROOT, "node_modules/.cache/sluice/package/sdk/index.js");

const TASKS = 1_000;
const MAPPED = 10_000;
const KEPT = 100_000;
/** Prefect's client makes some hundred a second, so that it gets fewer; rates are compared. */
const SHARE_OF_PREFECT = 0.1;
const IMPORTS = 7;

interface Rates {
  readonly sequence: number;
  readonly map: number;
}
interface OurFigures extends Rates {
  readonly heapMb: { readonly before: number; readonly during: number; readonly after: number };
}

export const sdk: Bench = {
  name: "sdk",
  // It installs Prefect.
  isOnlyByName: true,
  async *run({ budget }) {
    const count = (whole: number): string => String(Math.max(100, Math.round(whole * Math.min(1, budget))));
    const alone = await ours({}, count(KEPT), count);
    const reported = await withServer((env) => ours(env, "0", count));
    const peer = await prefect(count);
    yield* rateRows(alone, reported, peer);
    yield await importRow();
    yield await sizeRow();
    yield memoryRow(alone, count(KEPT));
  },
};

async function ours(
  env: Readonly<Record<string, string>>,
  kept: string,
  count: (whole: number) => string,
): Promise<OurFigures> {
  const words = ["--expose-gc", OURS, count(TASKS), count(MAPPED), kept];
  const { stdout } = await run(process.execPath, words, {
    cwd: ROOT,
    env: { ...process.env, SLUICE_API_URL: "", ...env },
  });
  return JSON.parse(stdout);
}

async function withServer<T>(act: (env: Readonly<Record<string, string>>) => Promise<T>): Promise<T> {
  await using server = await startMeasuredServer();
  return await act({ SLUICE_API_URL: `${server.origin}/api` });
}

async function prefect(count: (whole: number) => string): Promise<Rates> {
  await using server = await startPrefect();
  const folder = await mkdtemp(join(tmpdir(), "sluice-bench-no-ops-"));
  try {
    const env = prefectEnvironment(folder, { PREFECT_API_URL: server.apiUrl, PREFECT_LOGGING_LEVEL: "ERROR" });
    const words = [THEIRS, count(TASKS * SHARE_OF_PREFECT * 5), count(MAPPED * SHARE_OF_PREFECT)];
    const { stdout } = await run(await prefectPython(), words, { env, cwd: folder });
    return JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function rateRows(alone: Rates, reported: Rates, peer: Rates): Row[] {
  const row = (name: string, rate: number, theirs: number, aim: string): Row => ({
    name,
    figure: `${perSecond(rate)} task runs`,
    ratio: `${(rate / theirs).toFixed(1)} of Prefect's client on its own server (${perSecond(theirs)})`,
    aim,
  });
  const sequence = `${TASKS.toLocaleString("en")} no-op tasks in sequence`;
  const map = `${MAPPED.toLocaleString("en")} no-op tasks by map`;
  return [
    row(`${sequence}, without a server`, alone.sequence, peer.sequence, "more than with one"),
    row(`${sequence}, stored by a server`, reported.sequence, peer.sequence, "over 3,000/s"),
    row(`${map}, without a server`, alone.map, peer.map, "over 20,000/s"),
    row(`${map}, stored by a server`, reported.map, peer.map, "as many as the server stores"),
  ];
}

/** Of the package as it is published; what Node itself needs to start is not counted. */
async function importRow(): Promise<Row> {
  await run(process.execPath, [join(ROOT, "package.ts")], { cwd: ROOT });
  const source = "const t = performance.now(); await import(process.argv[1]); console.log(performance.now() - t)";
  const timesMs: number[] = [];
  for (let round = 0; round < IMPORTS; round++) {
    const { stdout } = await run(process.execPath, ["--input-type=module", "-e", source, "--", PACKAGED]);
    timesMs.push(Number(stdout));
  }
  return {
    name: 'import "sluice"',
    figure: `${percentiles(timesMs).p50Ms.toFixed(0)} ms (median of ${IMPORTS})`,
    ratio: "–",
    aim: "under 60 ms",
  };
}

/**
 * What an import loads: the files that the door imports statically, themselves and by each other. What a function loads
 * when it is called is not in it. The first figure is of the sources alone, the second of the package, which zod is in.
 */
async function sizeRow(): Promise<Row> {
  const gzipped = async (door: string, apart: string[]): Promise<string> => {
    const { metafile, outputFiles } = await build({
      entryPoints: [door],
      absWorkingDir: ROOT,
      outdir: ROOT,
      bundle: true,
      splitting: true,
      minify: true,
      write: false,
      metafile: true,
      format: "esm",
      platform: "neutral",
      mainFields: ["module", "main"],
      external: ["node:*", "@opentelemetry/api", ...apart],
      logLevel: "error",
    });
    const loaded = loadedBy(metafile.outputs, "index.js");
    const files = outputFiles.filter(({ path }) => loaded.has(relative(ROOT, path)));
    const bytes = gzipSync(Buffer.concat(files.map(({ contents }) => contents))).length;
    return `${(bytes / 1_000).toFixed(0)} kB`;
  };
  return {
    name: 'what import "sluice" loads, minified and gzipped',
    figure: `${await gzipped(join(ROOT, "sdk/index.ts"), ["zod"])}, and ${await gzipped(PACKAGED, [])} with zod`,
    ratio: "–",
    aim: "under 40 kB without zod",
  };
}

function memoryRow({ heapMb: { before, during, after } }: OurFigures, kept: string): Row {
  return {
    name: `heap before, at the end of, and after one flow run of ${Number(kept).toLocaleString("en")} tasks`,
    figure: `${[before, during, after].map((mb) => mb.toFixed(1)).join(", ")} MB`,
    ratio: `${(during / before).toFixed(2)} of before`,
    aim: "flat",
  };
}
