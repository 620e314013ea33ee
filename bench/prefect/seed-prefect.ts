/** Puts the same seeded runs into a Prefect server's database, in bulk, by Prefect's own tables. */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { prefectEnvironment } from "../../test/prefect/servers.ts";
import { prefectPython } from "../../test/prefect/venv.ts";
import type { Contender } from "./contenders.ts";
import { createOwners, type Owners, RUNS, seededRun } from "./seed-runs.ts";
import { withClient } from "./slice.ts";

const run = promisify(execFile);
const SCRIPT = fileURLToPath(new URL("seed_prefect.py", import.meta.url));

export async function seedPrefect(contender: Contender, databaseUrl: string, endMs: number): Promise<Owners> {
  const owners = await withClient(contender, createOwners);
  const folder = await mkdtemp(join(tmpdir(), "sluice-bench-seed-"));
  try {
    const file = join(folder, "runs.jsonl");
    const lines = Array.from({ length: RUNS }, (_, index) => JSON.stringify(seededRun(index, owners, endMs)));
    await writeFile(file, lines.join("\n"));
    const env = prefectEnvironment(folder, { PREFECT_SERVER_DATABASE_CONNECTION_URL: databaseUrl });
    await run(await prefectPython(), [SCRIPT, file], { env });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return owners;
}
