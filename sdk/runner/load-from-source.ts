/** Loads a flow from where a deployment's code comes from, by the steps that a worker does before a run. */
import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ApiClient, createClient } from "../client/index.ts";
import type { Source } from "../flow/deploy/git-source.ts";
import { type AnyFlow, isFlow } from "../flow/flow.ts";
import { loadEntrypoint } from "./entrypoint.ts";
import { runPullSteps } from "./pull/pull-steps.ts";

/** A client for sources that ask nothing of a control plane. */
const NOBODY = "http://127.0.0.1:1/api";

/** Throws what a step said when it failed, and {@link EntrypointError} for an entrypoint that leads to no flow. */
export async function loadFromSource(source: Source, entrypoint: string, client: ApiClient | null): Promise<AnyFlow> {
  const directory = await mkdtemp(join(tmpdir(), "sluice-source-"));
  // Not before: a module may import another one when it is called.
  process.once("exit", () => rmSync(directory, { recursive: true, force: true }));
  const folder = await runPullSteps(source.pullSteps, client ?? createClient({ url: NOBODY }), {
    directory,
    env: process.env,
    signal: new AbortController().signal,
    onLine: () => undefined,
  });
  return await loadEntrypoint(entrypoint, folder, isFlow);
}
