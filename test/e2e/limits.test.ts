/** Limits under real processes, a third of which are killed while they hold slots. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, it } from "vitest";
import { createClient } from "../../sdk/client/api-client.ts";
import {
  acquireSlots,
  createConcurrencyLimitV2,
  decrementSlotsWithLease,
  incrementSlotsWithLease,
  readConcurrencyLimitHolders,
  readConcurrencyLimitV2,
} from "../../sdk/protocol/concurrency-limits.ts";
import { eventually } from "../support/eventually.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { CLI, cleanEnvironment, sluice } from "../support/sluice.ts";

const PROGRAM = fileURLToPath(new URL("programs/holds-slots.ts", import.meta.url));
/** How long the slots of one that was killed stay taken: long enough for a busy machine to renew the others' in time. */
const LEASE_MS = 5_000;
/** Half a hundred processes that start together share what was compiled of their program. */
const COMPILED = mkdtempSync(join(tmpdir(), "sluice-test-compiled-"));
let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  rmSync(COMPILED, { recursive: true, force: true });
});

interface Span {
  readonly limit: string;
  readonly from: number;
  /** `Infinity` while it is not reached yet. */
  to: number;
}

/** One process, and the spans in which it held slots. */
class Holder {
  readonly child: ChildProcess;
  readonly exited: Promise<number | NodeJS.Signals | null>;
  readonly spans: Span[] = [];
  errors = "";
  #text = "";

  constructor(limits: readonly string[], turns: number, holdMs: number) {
    const words = [PROGRAM, limits.join(","), String(turns), String(holdMs), String(LEASE_MS)];
    this.child = spawn(process.execPath, words, {
      env: { ...process.env, SLUICE_API_URL: server.apiUrl, NODE_COMPILE_CACHE: COMPILED },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.child.stdout?.on("data", (chunk: Buffer) => this.#read(String(chunk)));
    this.child.stderr?.on("data", (chunk: Buffer) => {
      this.errors += String(chunk);
    });
    // When all that it wrote was read.
    this.exited = new Promise((resolve) => this.child.once("close", (code, signal) => resolve(signal ?? code)));
  }

  get holds(): boolean {
    return this.spans.some(({ to }) => to === Number.POSITIVE_INFINITY);
  }

  /** Killed without a chance to give anything back. */
  async kill(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.exited;
  }

  #read(chunk: string): void {
    this.#text += chunk;
    const lines = this.#text.split("\n");
    this.#text = lines.pop() ?? "";
    for (const line of lines) {
      const [sign, limit = "", at] = line.split(" ");
      const open = this.spans.find((span) => span.limit === limit && span.to === Number.POSITIVE_INFINITY);
      if (sign === "+") this.spans.push({ limit, from: Number(at), to: Number.POSITIVE_INFINITY });
      else if (open) open.to = Number(at);
    }
  }
}

/** The most spans that lay over one instant. */
function peak(spans: readonly Span[]): number {
  const steps = spans.flatMap(({ from, to }) => [
    { at: from, by: 1 },
    { at: to, by: -1 },
  ]);
  steps.sort((a, b) => a.at - b.at || a.by - b.by);
  let now = 0;
  let most = 0;
  for (const { by } of steps) {
    now += by;
    most = Math.max(most, now);
  }
  return most;
}

describe("fifty processes", () => {
  /** `doomed` of the processes want this limit only, and are killed while they hold a slot of it. */
  const crowds = [
    { limit: 1, doomed: 2 },
    { limit: 3, doomed: 5 },
    { limit: 10, doomed: 10 },
  ].map((crowd) => ({ ...crowd, name: `fifty-${crowd.limit}` }));

  it("never hold more than 1, 3 and 10 slots of three limits, and all are free when the last is gone, though a third were killed holding", {
    timeout: 240_000,
  }, async ({ expect }) => {
    const client = createClient({ url: server.apiUrl });
    for (const { name, limit } of crowds) await client.call(createConcurrencyLimitV2, { body: { name, limit } });
    const names = crowds.map(({ name }) => name);
    const doomed: Holder[] = [];
    const others: Holder[] = [];
    await using _ = {
      [Symbol.asyncDispose]: async () => void (await Promise.all([...doomed, ...others].map((one) => one.kill()))),
    };
    const fates = crowds.flatMap(({ name, doomed: count }) => Array.from({ length: count }, () => name));
    for (let made = 0; made < 50; made++) {
      const fate = made % 3 === 0 ? fates[made / 3] : undefined;
      if (fate === undefined) others.push(new Holder(names, 2, 10));
      else doomed.push(new Holder([fate], 0, 20));
    }
    expect(doomed).toHaveLength(17);
    for (const holder of doomed) {
      expect(await holder.exited, holder.errors).toBe("SIGKILL");
      expect(holder.spans).toHaveLength(1);
    }
    for (const holder of others) expect(await holder.exited, holder.errors).toBe(0);
    for (const { name, limit } of crowds) {
      const spansOf = (holder: Holder) => holder.spans.filter((span) => span.limit === name);
      expect(others.map((holder) => spansOf(holder).length)).toEqual(others.map(() => 2));
      expect(peak([...doomed, ...others].flatMap(spansOf))).toBeLessThanOrEqual(limit);
      await eventually("all slots are free", async () => {
        const { active_slots } = await client.call(readConcurrencyLimitV2, { params: { id_or_name: name } });
        return active_slots === 0;
      });
    }
  });
});

describe("sluice limit", () => {
  const typed = (...words: string[]) => sluice(["limit", ...words], { env: { SLUICE_API_URL: server.apiUrl } });

  it("makes, shows, changes, resets and deletes limits", async ({ expect }) => {
    expect((await typed("create", "printer", "--limit", "2", "--per-second", "0.5")).exitCode).toBe(0);
    expect((await typed("create", "printer", "--limit", "2")).exitCode).toBe(1);
    expect((await typed("create", "desk", "--limit", "1")).exitCode).toBe(0);
    await using holder = Object.assign(new Holder(["desk"], 1, 60_000), {
      async [Symbol.asyncDispose](this: Holder) {
        await this.kill();
      },
    });
    await eventually("it holds the slot", () => holder.holds);
    expect((await typed("ls")).stdout).toMatch(/desk +1 +1 +- +yes/);
    expect((await typed("holders", "desk")).stdout).toMatch(/holds +- +1 +-/);
    expect((await typed("reset", "desk")).exitCode).toBe(0);
    expect((await typed("holders", "desk")).stdout).toContain("Nobody holds slots");
    expect((await typed("update", "desk", "--limit", "0", "--name", "table")).stdout).toMatch(/LIMIT +0/);
    expect((await typed("inspect", "table")).stdout).toMatch(/In use +0/);
    expect((await typed("delete", "table")).exitCode).toBe(0);
    expect((await typed("inspect", "table")).exitCode).toBe(5);
  });

  it("makes limits that limit nothing yet, and makes rate limits of them", async ({ expect }) => {
    expect((await typed("create", "asleep", "--limit", "1", "--inactive")).stdout).toMatch(/ACTIVE +no/);
    const awake = await typed("update", "asleep", "--active", "yes", "--per-second", "0.25");
    expect(awake.stdout).toMatch(/PER SECOND +0\.25\n/);
    expect(awake.stdout).toMatch(/ACTIVE +yes/);
    expect((await typed("update", "asleep", "--active", "no")).stdout).toMatch(/ACTIVE +no/);
    const wrong = await typed("update", "asleep", "--per-second", "-1");
    expect([wrong.exitCode, wrong.stderr]).toEqual([2, expect.stringContaining("not a number of 0 or more")]);
  });

  it("tells those who wait from those who come back, in their places", async ({ expect }) => {
    const client = createClient({ url: server.apiUrl });
    await client.call(createConcurrencyLimitV2, { body: { name: "queue", limit: 1 } });
    const first = await client.call(acquireSlots, { body: { names: ["queue"] } });
    const left = new AbortController();
    const waits = client
      .call(acquireSlots, { body: { names: ["queue"], wait_seconds: 60 } }, { signal: left.signal })
      .catch((error: unknown) => error);
    const waiters = async () =>
      (await client.call(readConcurrencyLimitHolders, { params: { id_or_name: "queue" } })).waiters.length;
    await eventually("it waits", async () => (await waiters()) === 1);
    const holder = { type: "flow_run" as const, id: crypto.randomUUID() };
    const polls = client.call(incrementSlotsWithLease, { body: { names: ["queue"], slots: 1, holder } });
    await expect(polls).rejects.toThrow();
    const { stdout } = await typed("holders", "queue");
    expect(stdout).toMatch(/holds +- +1 +-.*\nwaits +1 +1 +-.*\n/);
    expect(stdout).toContain(`flow_run ${holder.id}`);
    expect(stdout).toMatch(/\ncomes back +2 +1 +flow_run /);
    left.abort();
    await waits;
    await client.call(decrementSlotsWithLease, { body: { lease_id: first.lease_id } });
  });
});

describe("sluice limit run", () => {
  const run = (...words: string[]) => sluice(["limit", "run", ...words], { env: { SLUICE_API_URL: server.apiUrl } });
  const inUse = async (name: string) => {
    const client = createClient({ url: server.apiUrl });
    return (await client.call(readConcurrencyLimitV2, { params: { id_or_name: name } })).active_slots;
  };
  const make = (name: string, limit: number) =>
    createClient({ url: server.apiUrl }).call(createConcurrencyLimitV2, { body: { name, limit } });

  it("runs a program while it holds slots, and ends as the program does", async ({ expect }) => {
    await make("job-a", 2);
    await make("job-b", 2);
    // The program itself is asked what is taken while it runs, and `--` and options behind the first are its own.
    const holders = `${process.execPath} ${CLI} limit holders`;
    const line = `printf '%s|' "$@"; ${holders} job-a; ${holders} job-b; exit 7`;
    const ended = await run("job-a", "job-b", "--slots", "2", "--", "sh", "-c", line, "x", "--strict", "--", "-o");
    expect(ended).toMatchObject({ exitCode: 7, stderr: "" });
    expect(ended.stdout).toMatch(/^--strict\|--\|-o\|/);
    expect(ended.stdout.match(/^holds +- +2 /gm)).toHaveLength(2);
    expect([await inUse("job-a"), await inUse("job-b")]).toEqual([0, 0]);
  });

  it("does not run it without slots, or without a limit if that has to be there", async ({ expect }) => {
    await make("job-none", 0);
    const marked = ["--", "echo", "was run"];
    const late = await run("job-none", "--timeout", "200ms", ...marked);
    expect(late).toMatchObject({ exitCode: 75, stdout: "", stderr: expect.stringContaining("within 200 ms") });
    expect(await run("job-unknown", "--strict", ...marked)).toMatchObject({ exitCode: 5, stdout: "" });
    expect(await run("job-unknown", ...marked)).toMatchObject({ exitCode: 0, stdout: "was run\n" });
    expect(await run("job-unknown", "--", "no-such-program")).toMatchObject({
      exitCode: 127,
      stderr: expect.stringContaining('"no-such-program" cannot be run: there is no such program.'),
    });
    for (const words of [["job-unknown"], ["--", "echo"], ["job-unknown", "--timeout", "soon", ...marked]]) {
      expect((await run(...words)).exitCode).toBe(2);
    }
  });

  it("passes signals on, and holds the slots until the program has ended", async ({ expect }) => {
    await make("job-signal", 1);
    const line = "trap 'echo told; sleep 0.3; exit 3' TERM; echo ready; while :; do sleep 0.05; done";
    const child = spawn(process.execPath, [CLI, "limit", "run", "job-signal", "--", "sh", "-c", line], {
      env: cleanEnvironment({ SLUICE_API_URL: server.apiUrl }),
      stdio: ["ignore", "pipe", "inherit"],
    });
    let written = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      written += String(chunk);
    });
    const exited = new Promise((resolve) => child.once("close", (code, signal) => resolve(signal ?? code)));
    await eventually("it runs", () => written.includes("ready"));
    child.kill("SIGTERM");
    await eventually("it was told", () => written.includes("told"));
    expect(await inUse("job-signal")).toBe(1);
    expect(await exited).toBe(3);
    expect(await inUse("job-signal")).toBe(0);
  });

  it("ends the program, with what it started, when its slots are lost and it has to hold them", async ({ expect }) => {
    await make("job-lost", 1);
    const folder = mkdtempSync(join(tmpdir(), "sluice-test-lost-"));
    // What it started ignores the request to end, and would write for ever.
    const line = `(trap '' TERM; while :; do date +%s%N > ${folder}/beat; sleep 0.05; done) & trap 'exit 0' TERM; wait`;
    const ended = run("job-lost", "--strict", "--lease", "3s", "--kill-grace", "200ms", "--", "sh", "-c", line);
    await eventually("it runs", () => existsSync(join(folder, "beat")));
    expect((await sluice(["limit", "reset", "job-lost"], { env: { SLUICE_API_URL: server.apiUrl } })).exitCode).toBe(0);
    expect(await ended).toMatchObject({ exitCode: 75, stderr: expect.stringContaining("lost while the program ran") });
    const last = readFileSync(join(folder, "beat"), "utf8");
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(readFileSync(join(folder, "beat"), "utf8")).toBe(last);
    rmSync(folder, { recursive: true });
  });

  it("that is told to end while it waits runs nothing, and leaves the line at once", async ({ expect }) => {
    await make("job-wait", 0);
    const child = spawn(process.execPath, [CLI, "limit", "run", "job-wait", "--", "echo", "was run"], {
      env: cleanEnvironment({ SLUICE_API_URL: server.apiUrl }),
      stdio: ["ignore", "inherit", "inherit"],
    });
    const exited = new Promise((resolve) => child.once("close", (code, signal) => resolve(signal ?? code)));
    const client = createClient({ url: server.apiUrl });
    const params = { id_or_name: "job-wait" };
    const waiting = async () => (await client.call(readConcurrencyLimitHolders, { params })).waiters.length;
    await eventually("it waits", async () => (await waiting()) === 1);
    child.kill("SIGINT");
    expect(await exited).toBe(130);
    await eventually("it has left", async () => (await waiting()) === 0);
  });
});
