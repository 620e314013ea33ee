import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, onTestFinished } from "vitest";
import { DataFolder } from "../../../sdk/server/data-folder.ts";
import { identify, isAlive } from "../../../sdk/server/process-identity.ts";
import type { Program } from "../../../sdk/server/program.ts";

const PROGRAM: Program = {
  version: "2.0.0",
  schema: "0001_second",
  schemas: ["0000_first", "0001_second"],
  wranglerFile: "",
  workerFile: "",
  uiFolder: "",
  migrationsFolder: "",
};

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "sluice-data-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function open(path: string): Promise<DataFolder> {
  const folder = await DataFolder.open(path, PROGRAM);
  onTestFinished(() => {
    try {
      folder.close();
    } catch {
      // The test closed it itself.
    }
  });
  return folder;
}

/** A folder in which D1 holds `content` under the schema `schema`. */
async function written(content: string, schema: string): Promise<string> {
  const path = newFolder();
  const folder = await open(path);
  writeFileSync(join(folder.paths.d1, "db.sqlite"), content);
  folder.recordSchema({ ...PROGRAM, schema });
  folder.close();
  return path;
}

describe("a data folder", () => {
  it("is made with everything in it, for nobody else to read", async ({ expect }) => {
    const { statSync } = await import("node:fs");
    const path = join(newFolder(), "a/b");
    const { paths, schema } = await open(path);
    expect(schema).toBeNull();
    for (const folder of [paths.root, paths.engine, paths.d1, paths.objects, paths.queues, paths.cron]) {
      expect(statSync(folder).mode & 0o777).toBe(0o700);
    }
  });

  it("is refused to a second server, with the process and the address of the first", async ({ expect }) => {
    const path = newFolder();
    (await open(path)).recordServer("http://127.0.0.1:4200");
    await expect(open(path)).rejects.toMatchObject({
      code: "data_folder_locked",
      message: `The data folder ${path} is used by another server (process ${process.pid}, http://127.0.0.1:4200).`,
    });
  });

  it("is free again when it was closed", async ({ expect }) => {
    const path = newFolder();
    (await open(path)).close();
    await expect(open(path)).resolves.toBeInstanceOf(DataFolder);
  });

  it("kills the engine that a killed launcher left behind, before it is used", async ({ expect }) => {
    const path = newFolder();
    const orphan = spawn("sleep", ["60"], { stdio: "ignore" });
    onTestFinished(() => void orphan.kill("SIGKILL"));
    const identity = identify(orphan.pid ?? 0);
    if (identity === null) throw new Error("sleep did not start.");
    writeFileSync(join(path, "engine.json"), JSON.stringify(identity));
    await open(path);
    expect(isAlive(identity)).toBe(false);
  });

  it("spares a process that was given the number of the engine later", async ({ expect }) => {
    const path = newFolder();
    const other = spawn("sleep", ["60"], { stdio: "ignore" });
    onTestFinished(() => void other.kill("SIGKILL"));
    writeFileSync(join(path, "engine.json"), JSON.stringify({ pid: other.pid, startedAt: "1" }));
    await open(path);
    expect(identify(other.pid ?? 0)).not.toBeNull();
  });

  it("is refused when its schema is newer than the program, naming both versions", async ({ expect }) => {
    const path = newFolder();
    writeFileSync(join(path, "schema.json"), JSON.stringify({ schema: "0002_third", version: "3.0.0" }));
    await expect(open(path)).rejects.toMatchObject({
      code: "schema_newer",
      message: `The data folder ${path} has the schema 0002_third of Sluice 3.0.0, which is newer than this program (2.0.0, schema 0001_second).`,
    });
  });

  it("can be opened after it was refused", async ({ expect }) => {
    const path = newFolder();
    writeFileSync(join(path, "schema.json"), JSON.stringify({ schema: "0002_third", version: "3.0.0" }));
    await expect(open(path)).rejects.toMatchObject({ code: "schema_newer" });
    rmSync(join(path, "schema.json"));
    await expect(open(path)).resolves.toBeInstanceOf(DataFolder);
  });

  it("is refused in words when it is not a folder", async ({ expect }) => {
    const path = join(newFolder(), "file");
    writeFileSync(path, "");
    await expect(open(path)).rejects.toMatchObject({ code: "data_folder_unusable" });
  });
});

describe("the copy of D1 before a migration", () => {
  it("is put back as it was", async ({ expect }) => {
    const path = await written("before", "0000_first");
    const folder = await open(path);
    expect(folder.schema).toBe("0000_first");
    folder.backUpD1();
    writeFileSync(join(folder.paths.d1, "db.sqlite"), "half migrated");
    writeFileSync(join(folder.paths.d1, "db.sqlite-wal"), "x");
    folder.restoreD1();
    expect(readFileSync(join(folder.paths.d1, "db.sqlite"), "utf8")).toBe("before");
    expect(existsSync(join(folder.paths.d1, "db.sqlite-wal"))).toBe(false);
  });

  it("of an interrupted attempt is kept, not overwritten by what that attempt left", async ({ expect }) => {
    const path = await written("before", "0000_first");
    const first = await open(path);
    first.backUpD1();
    writeFileSync(join(first.paths.d1, "db.sqlite"), "half migrated");
    first.close();
    const second = await open(path);
    second.backUpD1();
    second.restoreD1();
    expect(readFileSync(join(second.paths.d1, "db.sqlite"), "utf8")).toBe("before");
  });

  it("that is only half made does not count", async ({ expect }) => {
    const path = await written("before", "0000_first");
    mkdirSync(join(path, "d1-before-migration-from-0000_first.partial"));
    const folder = await open(path);
    folder.backUpD1();
    folder.restoreD1();
    expect(readFileSync(join(folder.paths.d1, "db.sqlite"), "utf8")).toBe("before");
  });

  it("leaves D1 alone where none was made", async ({ expect }) => {
    const path = await written("kept", "0001_second");
    const folder = await open(path);
    folder.restoreD1();
    expect(readFileSync(join(folder.paths.d1, "db.sqlite"), "utf8")).toBe("kept");
  });
});
