/** Caches whose results are made by one caller at a time, in several real processes. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, it, vi } from "vitest";
import { folderLocks, memoryLocks } from "../../sdk/index.ts";
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
        // The file is there before its first line is.
        return readFileSync(join(path, "computed"), "utf8").split("\n").slice(0, -1);
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

describe("locks of this process", () => {
  it("pass over a caller that gave up waiting, and are still the holder's then", async ({ expect }) => {
    const locks = memoryLocks();
    const { signal } = new AbortController();
    const giveBack = await locks.acquire("key", signal);
    const hasty = new AbortController();
    const second = locks.acquire("key", hasty.signal);
    let hasIt = false;
    const third = locks.acquire("key", signal).then(() => {
      hasIt = true;
    });
    hasty.abort(new Error("enough"));
    await expect(second).rejects.toThrow("enough");
    await new Promise((done) => setImmediate(done));
    expect(hasIt).toBe(false);
    await giveBack();
    await until("the third one has it", () => hasIt);
    await third;
  });
});

const LONG_AGO = new Date("2026-01-01T00:00:00Z");

describe("locks of a folder", () => {
  it("are kept for longer than their lease by a living holder, and one at a time has them", async ({ expect }) => {
    using folder = aFolder();
    const locks = folderLocks(folder.path, { lease: "2s" });
    let inside = 0;
    let most = 0;
    const { signal } = new AbortController();
    const callers = Array.from({ length: 2 }, async () => {
      const release = await locks.acquire("cache/some key", signal);
      most = Math.max(most, ++inside);
      await new Promise((done) => setTimeout(done, 2_300));
      inside--;
      await release();
    });
    await Promise.all(callers);
    expect(most).toBe(1);
  });

  it("are not taken by a caller that is to stop already", async ({ expect }) => {
    using folder = aFolder();
    await expect(folderLocks(folder.path).acquire("key", AbortSignal.abort(new Error("stop")))).rejects.toThrow("stop");
    expect(readdirSync(folder.path)).toEqual([]);
  });

  it("that were taken over are neither given back nor renewed by those who had them", async ({ expect }) => {
    vi.useFakeTimers({ toFake: ["setInterval"] });
    try {
      using folder = aFolder();
      const locks = folderLocks(folder.path, { lease: "10m" });
      const file = join(folder.path, "key.lock");
      const { signal } = new AbortController();
      const giveBack = await locks.acquire("key", signal);
      utimesSync(file, LONG_AGO, LONG_AGO);
      await locks.acquire("key", signal);
      const others = readFileSync(file, "utf8");
      await giveBack();
      expect(readFileSync(file, "utf8")).toBe(others);
      writeFileSync(file, "a third one's");
      utimesSync(file, LONG_AGO, LONG_AGO);
      await vi.advanceTimersByTimeAsync(600_000);
      for (let i = 0; i < 20; i++) await stat(folder.path);
      expect(statSync(file).mtime).toEqual(LONG_AGO);
    } finally {
      vi.useRealTimers();
    }
  });

  it("are looked at once more before they are taken over: somebody else may have done so", async ({ expect }) => {
    using folder = aFolder();
    const locks = folderLocks(folder.path, { lease: "10m" });
    const file = join(folder.path, "key.lock");
    writeFileSync(file, "one");
    utimesSync(file, LONG_AGO, LONG_AGO);
    const files = process.getBuiltinModule("node:fs/promises");
    const enough = new AbortController();
    let looks = 0;
    const look = vi.spyOn(files, "stat").mockImplementation((async (path: string) => {
      const found = statSync(path);
      if (++looks === 1) utimesSync(file, new Date(), new Date());
      if (looks === 3) enough.abort(new Error("enough"));
      return found;
    }) as never);
    try {
      await expect(locks.acquire("key", enough.signal)).rejects.toThrow("enough");
      expect(readFileSync(file, "utf8")).toBe("one");
    } finally {
      look.mockRestore();
    }
  });

  it("are taken over although somebody died while taking them over", async ({ expect }) => {
    using folder = aFolder();
    for (const name of ["key.lock", "key.lock.taking"]) {
      writeFileSync(join(folder.path, name), "dead");
      utimesSync(join(folder.path, name), LONG_AGO, LONG_AGO);
    }
    const giveBack = await folderLocks(folder.path).acquire("key", AbortSignal.timeout(5_000));
    await giveBack();
    expect(readdirSync(folder.path)).toEqual([]);
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
