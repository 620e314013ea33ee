/** Limits under real processes, a third of which are killed while they hold slots. */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, it } from "vitest";
import { createClient } from "../../sdk/client/api-client.ts";
import { createConcurrencyLimitV2, readConcurrencyLimitV2 } from "../../sdk/protocol/concurrency-limits.ts";
import { eventually } from "../support/eventually.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { sluice } from "../support/sluice.ts";

const PROGRAM = fileURLToPath(new URL("programs/holds-slots.ts", import.meta.url));
const LEASE_MS = 2_000;
let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
});

/** One process, and the spans in which it held a slot. */
class Holder {
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
  /** Ends of `Infinity` are not reached yet. */
  readonly spans: { from: number; to: number }[] = [];
  errors = "";
  #text = "";

  constructor(names: readonly string[], turns: number, holdMs: number) {
    const words = [PROGRAM, names.join(","), String(turns), String(holdMs), String(LEASE_MS)];
    this.child = spawn(process.execPath, words, {
      env: { ...process.env, SLUICE_API_URL: server.apiUrl },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.child.stdout?.on("data", (chunk: Buffer) => this.#read(String(chunk)));
    this.child.stderr?.on("data", (chunk: Buffer) => {
      this.errors += String(chunk);
    });
    this.exited = new Promise((resolve) => this.child.once("exit", (code) => resolve(code)));
  }

  get holds(): boolean {
    return this.spans.at(-1)?.to === Number.POSITIVE_INFINITY;
  }

  /** Killed without a chance to give anything back. */
  async kill(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.exited;
    const last = this.spans.at(-1);
    if (last) last.to = Math.min(last.to, Date.now());
  }

  #read(chunk: string): void {
    this.#text += chunk;
    const lines = this.#text.split("\n");
    this.#text = lines.pop() ?? "";
    for (const line of lines) {
      const [sign, at] = line.split(" ");
      const last = this.spans.at(-1);
      if (sign === "+") this.spans.push({ from: Number(at), to: Number.POSITIVE_INFINITY });
      else if (last) last.to = Number(at);
    }
  }
}

/** The most spans that lay over one instant. */
function peak(spans: readonly { readonly from: number; readonly to: number }[]): number {
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
  it.for([1, 3, 10])(
    "never hold more than %i slots, and all are free when the last is gone, though a third were killed holding",
    { timeout: 240_000 },
    async (limit, { expect }) => {
      const client = createClient({ url: server.apiUrl });
      const name = `fifty-${limit}`;
      await client.call(createConcurrencyLimitV2, { body: { name, limit } });
      const holders: Holder[] = [];
      const doomed: Holder[] = [];
      for (let made = 0; made < 50; made++) {
        const isDoomed = made % 3 === 0;
        const holder = new Holder([name], isDoomed ? 1 : 2, isDoomed ? 60_000 : 20);
        holders.push(holder);
        if (isDoomed) doomed.push(holder);
      }
      await using _ = { [Symbol.asyncDispose]: async () => void (await Promise.all(holders.map((one) => one.kill()))) };
      const kills = doomed.map(async (holder) => {
        await eventually("it holds a slot", () => holder.holds, { withinMs: 200_000, everyMs: 5 });
        await holder.kill();
      });
      await Promise.all(kills);
      const others = holders.filter((holder) => !doomed.includes(holder));
      for (const holder of others) expect(await holder.exited, holder.errors).toBe(0);
      expect(others.map(({ spans }) => spans.length)).toEqual(others.map(() => 2));
      expect(peak(holders.flatMap(({ spans }) => spans))).toBeLessThanOrEqual(limit);
      await eventually("all slots are free", async () => {
        const { active_slots } = await client.call(readConcurrencyLimitV2, { params: { id_or_name: name } });
        return active_slots === 0;
      });
    },
  );
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
