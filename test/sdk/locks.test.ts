/** Caches whose results are made by one caller at a time, in several real processes. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, it } from "vitest";
import { folderLocks } from "../../sdk/index.ts";
import { until } from "./until.ts";

const PROGRAM = fileURLToPath(new URL("programs/one-computes.ts", import.meta.url));

interface Folder extends Disposable {
  readonly path: string;
  /** Process ids of those who computed. */
  computed(): string[];
}

function aFolder(): Folder {
  const path = mkdtempSync(join(tmpdir(), "sluice-locks-"));
  return {
    path,
    computed: () => {
      try {
        return readFileSync(join(path, "computed"), "utf8").trim().split("\n");
      } catch {
        return [];
      }
    },
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}

function start(...words: string[]): { child: ChildProcess; ended: Promise<string> } {
  const child = spawn(process.execPath, [PROGRAM, ...words], { stdio: ["ignore", "pipe", "inherit"] });
  let written = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    written += String(chunk);
  });
  return { child, ended: new Promise((resolve) => child.once("close", () => resolve(written.trim()))) };
}

describe("a cached task with isolation serializable", () => {
  it("is computed once by processes that call it at the same time", { timeout: 30_000 }, async ({ expect }) => {
    using folder = aFolder();
    const all = [start(folder.path), start(folder.path), start(folder.path)];
    expect(await Promise.all(all.map(({ ended }) => ended))).toEqual(["42", "42", "42"]);
    expect(folder.computed()).toHaveLength(1);
  });

  it("is computed by another process when the one that did was killed", { timeout: 30_000 }, async ({ expect }) => {
    using folder = aFolder();
    const first = start(folder.path, "500ms", "hang");
    await until("the first computes", () => folder.computed().length === 1, 20_000);
    first.child.kill("SIGKILL");
    await first.ended;
    expect(await start(folder.path, "500ms").ended).toBe("42");
    expect(folder.computed()).toHaveLength(2);
  });
});

describe("locks of a folder", () => {
  it("are kept for longer than their lease by a living holder, and one at a time has them", async ({ expect }) => {
    using folder = aFolder();
    const locks = folderLocks(folder.path, { lease: "900ms" });
    let inside = 0;
    let most = 0;
    const { signal } = new AbortController();
    const callers = Array.from({ length: 2 }, async () => {
      const release = await locks.acquire("cache/some key", signal);
      most = Math.max(most, ++inside);
      await new Promise((done) => setTimeout(done, 1_100));
      inside--;
      await release();
    });
    await Promise.all(callers);
    expect(most).toBe(1);
  });

  it("are not waited for after an abort", async ({ expect }) => {
    using folder = aFolder();
    const locks = folderLocks(folder.path);
    const controller = new AbortController();
    const release = await locks.acquire("key", controller.signal);
    const second = locks.acquire("key", controller.signal);
    controller.abort(new Error("enough"));
    await expect(second).rejects.toThrow("enough");
    await release();
  });
});
