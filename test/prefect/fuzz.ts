/**
 * Fuzzes our server with schemathesis: with the installed package's description of the operations that we serve, and with
 * our own. Ends with 1 when an answer was a 5xx or broke its schema. `SLUICE_FUZZ_SECONDS` is the time for both together,
 * by default 70; `SLUICE_FUZZ_SEED` repeats a run.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { keyOf, OpenApiDocument, operationsOf } from "./openapi-document.ts";
import { runPython } from "./python.ts";
import { prefectEnvironment, startSluice } from "./servers.ts";
import { pythonWith } from "./venv.ts";

const SECONDS = Number(process.env["SLUICE_FUZZ_SECONDS"] ?? 70);
const SEED = process.env["SLUICE_FUZZ_SEED"] ?? "1";

interface Document {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { readonly responses: Readonly<Record<string, unknown>> }>>>
  >;
}

/** The installed description without what we do not serve, and without its errors: their words are each server's own. */
function restricted(installed: Document, served: ReadonlySet<string>): Document {
  const paths: Record<string, Record<string, { responses: Record<string, unknown> }>> = {};
  for (const [path, methods] of Object.entries(installed.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      if (!served.has(keyOf(`${method.toUpperCase()} ${path}`))) continue;
      const successes = Object.entries(operation.responses).filter(([status]) => status.startsWith("2"));
      paths[path] = { ...paths[path], [method]: { ...operation, responses: Object.fromEntries(successes) } };
    }
  }
  return { ...installed, paths };
}

async function fuzz(python: string, apiUrl: string, document: string, seconds: number, home: string): Promise<number> {
  const words = ["-m", "schemathesis.cli", "run", document, "--url", apiUrl, "--max-time", String(seconds)];
  const checks = ["--checks", "not_a_server_error,response_schema_conformance,content_type_conformance"];
  // One thread: with two, CPython 3.11 fails now and then while hypothesis reads its own source.
  const bounds = ["--phases", "coverage,fuzzing,stateful", "--workers", "1", "--seed", SEED, "--request-timeout", "10"];
  const quiet = ["--suppress-health-check", "all", "--warnings", "off", "--no-color"];
  const child = spawn(python, [...words, ...checks, ...bounds, ...quiet], {
    cwd: home,
    env: prefectEnvironment(home),
    stdio: ["ignore", "inherit", "inherit"],
  });
  return await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? 1));
  });
}

async function main(): Promise<number> {
  const python = await pythonWith("fuzz-requirements.txt");
  const home = mkdtempSync(join(tmpdir(), "sluice-fuzz-"));
  try {
    await using sluice = await startSluice();
    const ours: unknown = await (await fetch(`${sluice.apiUrl}/openapi.json`)).json();
    const served = new Set(operationsOf(OpenApiDocument.parse(ours)).keys());
    const installed = restricted((await runPython("describe.py")) as Document, served);
    const documents = { "prefect.json": installed, "sluice.json": ours };
    let worst = 0;
    for (const [name, document] of Object.entries(documents)) {
      const file = join(home, name);
      writeFileSync(file, JSON.stringify(document));
      console.log(`\n== ${name}: ${served.size} operations served\n`);
      const code = await fuzz(python, sluice.apiUrl, file, Math.floor(SECONDS / 2), home);
      worst = Math.max(worst, code);
    }
    const defects = sluice.stderr();
    if (defects.trim() !== "") console.log(`\n== What our server wrote to standard error\n\n${defects}`);
    return worst;
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

process.exitCode = await main();
