/** Limits under real processes, a third of which are killed while they hold slots. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, it } from "vitest";
import { createClient } from "../../sdk/client/api-client.ts";
import { createConcurrencyLimitV2, readConcurrencyLimitV2 } from "../../sdk/protocol/concurrency-limits.ts";
import { eventually } from "../support/eventually.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { sluice } from "../support/sluice.ts";

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
});
