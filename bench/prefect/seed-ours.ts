/**
 * Puts the seeded runs of the read bench into our D1, as rows into its file while no server runs: through the API it
 * would take minutes. The document of each is that of a run which the server itself made, with other values.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { jsonClient } from "../http.ts";
import { startMeasuredServer } from "../server.ts";
import { createOwners, type Owners, RUNS, seededRun } from "./seed-runs.ts";

export async function seedOurs(dataFolder: string, endMs: number): Promise<Owners> {
  const { owners, exampleId } = await prepare(dataFolder);
  const folder = join(dataFolder, "d1", "D1Database");
  const file = readdirSync(folder).find((name) => name.endsWith(".sqlite") && name !== "metadata.sqlite");
  if (file === undefined) throw new Error(`There is no D1 file in ${folder}.`);
  const db = new DatabaseSync(join(folder, file));
  const example = db.prepare("SELECT * FROM flow_runs WHERE id = ?").get(exampleId);
  const doc = JSON.parse(String(example?.["doc"]));
  const insert = db.prepare(
    `INSERT INTO flow_runs (id, version, flow_id, deployment_id, name, state_type, state_name, expected_start_time,
      start_time, end_time, total_run_time, state_timestamp, tags, dormant, doc)
      VALUES (?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?)`,
  );
  db.exec("BEGIN");
  db.prepare("DELETE FROM flow_runs").run();
  for (let index = 0; index < RUNS; index++) {
    const { state_id, tags, ...run } = seededRun(index, owners, endMs);
    const expected = wireTime(run.expected_start_time);
    const runMs = run.start_time === null || run.end_time === null ? 0 : run.end_time - run.start_time;
    const document = {
      ...doc,
      ...run,
      created: expected,
      updated: expected,
      tags,
      state_id,
      expected_start_time: expected,
      start_time: wireTime(run.start_time),
      end_time: wireTime(run.end_time),
      total_run_time: runMs / 1000,
      state: {
        ...doc.state,
        id: state_id,
        type: run.state_type,
        name: run.state_name,
        timestamp: wireTime(run.end_time ?? run.start_time ?? run.expected_start_time),
        state_details: { ...doc.state.state_details, flow_run_id: run.id },
      },
    };
    insert.run(
      run.id,
      run.flow_id,
      run.deployment_id,
      run.name,
      run.state_type,
      run.state_name,
      run.expected_start_time,
      run.start_time,
      run.end_time,
      runMs / 1000,
      run.end_time ?? run.start_time ?? run.expected_start_time,
      JSON.stringify(tags),
      JSON.stringify(document),
    );
  }
  db.exec("COMMIT");
  db.close();
  return owners;
}

/** Migrations, flows, deployments, and one run to take the document of. */
async function prepare(dataFolder: string): Promise<{ owners: Owners; exampleId: string }> {
  await using server = await startMeasuredServer(dataFolder);
  const client = jsonClient(server.origin);
  const owners = await createOwners(client);
  const asked = { flow_id: owners.flows[0], state: { type: "COMPLETED" } };
  const example = await client.call<{ id: string }>("POST", "/api/flow_runs/", asked);
  client.close();
  return { owners, exampleId: example.body.id };
}

function wireTime(timeMs: number | null): string | null {
  return timeMs === null ? null : new Date(timeMs).toISOString().replace("Z", "000Z");
}
