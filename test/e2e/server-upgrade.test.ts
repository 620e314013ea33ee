/** A server over the data of an earlier version. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, onTestFinished } from "vitest";
import { type Program, readProgram } from "../../sdk/server/program.ts";
import { type RunningServer, startServer } from "../../sdk/server/start.ts";

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "sluice-upgrade-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** This program with one more migration, which its Worker waits for. */
function nextProgram(sql: string): Program {
  const current = readProgram();
  const folder = newFolder();
  const schema = "9000_next";
  cpSync(current.migrationsFolder, folder, { recursive: true });
  writeFileSync(join(folder, `${schema}.sql`), sql);
  const workerFile = join(folder, "worker.js");
  writeFileSync(workerFile, readFileSync(current.workerFile, "utf8").replaceAll(current.schema, schema));
  return {
    ...current,
    version: "9.0.0",
    schema,
    schemas: [...current.schemas, schema],
    workerFile,
    migrationsFolder: folder,
  };
}

async function start(dataDir: string, program: Program): Promise<RunningServer> {
  const server = await startServer({ port: 0, dataDir, program });
  onTestFinished(() => server.stop());
  return server;
}

async function createFlow(server: RunningServer, name: string): Promise<number> {
  const headers = { "content-type": "application/json" };
  return (await fetch(`${server.apiUrl}/flows/`, { method: "POST", headers, body: JSON.stringify({ name }) })).status;
}

/** A folder that this version has used. */
async function usedFolder(): Promise<string> {
  const dataDir = newFolder();
  const server = await start(dataDir, readProgram());
  await createFlow(server, "old");
  await server.stop();
  return dataDir;
}

const readSchema = (dataDir: string): unknown => JSON.parse(readFileSync(join(dataDir, "schema.json"), "utf8"));
const flowNamed = (server: RunningServer, name: string): Promise<Response> =>
  fetch(`${server.apiUrl}/flows/name/${name}`);

describe("a new version of the server", () => {
  it("applies its migrations, keeps the data, and leaves no copy behind", async ({ expect }) => {
    const dataDir = await usedFolder();
    const server = await start(
      dataDir,
      nextProgram("CREATE TABLE next (a text);\n--> statement-breakpoint\nINSERT INTO next VALUES (';');"),
    );
    expect((await flowNamed(server, "old")).status).toBe(200);
    expect(readSchema(dataDir)).toEqual({ schema: "9000_next", version: "9.0.0" });
    expect(readdirSync(dataDir).filter((name) => name.startsWith("d1-before"))).toEqual([]);
  });

  it("cannot be followed by the old one on the same folder", async ({ expect }) => {
    const dataDir = await usedFolder();
    await (await start(dataDir, nextProgram("CREATE TABLE next (a text);"))).stop();
    await expect(start(dataDir, readProgram())).rejects.toMatchObject({ code: "schema_newer" });
  });

  it("puts the database back when a migration fails, so that the old one goes on with it", async ({ expect }) => {
    const dataDir = await usedFolder();
    const broken = nextProgram(
      "CREATE TABLE next (a text);\n--> statement-breakpoint\nINSERT INTO nowhere VALUES (1);",
    );
    await expect(start(dataDir, broken)).rejects.toMatchObject({
      code: "migration_failed",
      message: expect.stringContaining("no such table: nowhere"),
    });
    expect(readSchema(dataDir)).toMatchObject({ schema: readProgram().schema });
    const server = await start(dataDir, readProgram());
    expect((await flowNamed(server, "old")).status).toBe(200);
    expect(await createFlow(server, "new")).toBe(201);
  });
});
