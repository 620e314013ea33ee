/** What the log says of runs by itself, and what it never says. */
import { describe, it } from "vitest";
import { z } from "zod";
import { sleep } from "../../sdk/flow/clock.ts";
import { masked, rememberSecret, shown } from "../../sdk/flow/secrets.ts";
import { configure, Failed, flow, INPUTS, logger, task } from "../../sdk/index.ts";
import { type OfflineWorld, offlineWorld } from "./offline-world.ts";

const lines = (world: OfflineWorld): string[] =>
  world.run.logs.map(({ message, level }) => `${level} ${message.replace(/\([\w-]{36}\)/, "(id)")}`);

describe("a run's own lines", () => {
  it("tell of the beginning and the end of the flow and of each task, with durations", async ({ expect }) => {
    using world = offlineWorld();
    using _ = undo(configure({ runLogs: "lines", logLevel: "debug" }));
    const step = task({ name: "step" }, async (n: number) => {
      await sleep(world.clock, 1_500, new AbortController().signal);
      return n;
    });
    await world.clock.run(flow({ name: "main" }, async () => await step(1))());
    expect(lines(world)).toEqual([
      '20 Started flow "main" (id).',
      '10 Started task "step".',
      "20 Finished in state Completed after 1.5 s.",
      "20 Finished in state Completed after 1.5 s.",
    ]);
    expect(world.run.logs.map(({ task_run_id }) => task_run_id !== null)).toEqual([false, true, true, false]);
  });

  it("tell of failures with their stack, whatever the setting", async ({ expect }) => {
    using world = offlineWorld();
    const step = task({ name: "step" }, async () => {
      throw new Error("oh");
    });
    await expect(flow({ name: "main" }, async () => await step())()).rejects.toThrow("oh");
    expect(lines(world).map((line) => line.split("\n")[0])).toEqual([
      "40 Finished in state Failed after 0 ms. Error: oh",
      "40 Finished in state Failed after 0 ms. Error: oh",
    ]);
  });

  it("tell values by the setting, or by an option, with what is secret masked", async ({ expect }) => {
    using world = offlineWorld();
    using _ = undo(configure({ runLogs: "values" }));
    const login = task({ name: "login" }, async (user: string, password: string) => ({ user, token: password }));
    const quiet = task({ name: "quiet", logValues: false }, async (n: number) => n);
    const parameters = z.object({ user: z.string(), pin: z.string().meta({ format: "password" }) });
    await flow({ name: "main", parameters }, async ({ user, pin }) => {
      await quiet(1);
      return await login(user, pin);
    })({ user: "ada", pin: "1234" });
    expect(lines(world)).toEqual([
      '20 Started flow "main" (id), with {"user":"ada","pin":"********"}.',
      "20 Finished in state Completed after 0 ms.",
      '20 Started task "login", with {"user":"ada","password":"********"}.',
      '20 Finished in state Completed after 0 ms, with {"user":"ada","token":"********"}.',
      '20 Finished in state Completed after 0 ms, with {"user":"ada","token":"********"}.',
    ]);
  });

  it("tell of the end of a task whose result came from the cache, and of one that was restored nothing but that", async ({
    expect,
  }) => {
    using world = offlineWorld({ persist: true });
    using _ = undo(configure({ runLogs: "values" }));
    const step = task({ name: "step", cache: INPUTS, logValues: true }, async (n: number) => n * 2);
    const keeps = task({ name: "keeps", logValues: true }, async (n: number) => n);
    let attempts = 0;
    const main = flow({ name: "main", retries: 1, logValues: false }, async () => {
      await step(1);
      await keeps(3);
      if (++attempts === 1) throw new Error("again");
      await step(1);
    });
    await world.execute(() => main(), { idleMs: 20 });
    expect(lines(world).slice(-4)).toEqual([
      '20 Task run "step-0" was restored: it had completed in an earlier attempt.',
      '20 Task run "keeps-0" was restored: it had completed in an earlier attempt.',
      "20 Finished in state Cached after 0 ms, with 2.",
      expect.stringContaining("20 Finished in state Completed"),
    ]);
  });

  it("are not there when nobody wants them", async ({ expect }) => {
    using world = offlineWorld();
    using _ = undo(configure({ runLogs: "none" }));
    const one = task({ name: "one", logValues: true }, async (n: number) => n);
    await flow({ name: "main" }, async () => await one(7))();
    expect(lines(world)).toEqual([
      '20 Started task "one", with {"n":7}.',
      "20 Finished in state Completed after 0 ms, with 7.",
    ]);
  });
});

describe("a secret that the process knows", () => {
  it("is masked in log lines, in captured output and in messages of states", async ({ expect }) => {
    using world = offlineWorld();
    rememberSecret({ url: "https://hooks.example/T0/B0/xyz$1", short: "abc" });
    const leak = task({ name: "leak" }, async () => {
      logger().info("abc calls https://hooks.example/T0/B0/xyz$1", { to: "https://hooks.example/T0/B0/xyz$1" });
      console.log("or https://hooks.example/T0/B0/xyz$1");
      throw new Error("https://hooks.example/T0/B0/xyz$1 does not answer");
    });
    const returns = task({ name: "returns" }, async () => Failed("of https://hooks.example/T0/B0/xyz$1"));
    const main = flow({ name: "main" }, async () => {
      await returns().catch(() => undefined);
      await leak();
    });
    await expect(main()).rejects.toThrow();
    const told = JSON.stringify([world.run.logs, world.run.states, world.tasks]);
    expect(told).not.toContain("hooks.example");
    expect(told).toContain("abc calls ******** to=********");
    expect(told).toContain("Error: ******** does not answer");
    expect(told).toContain('"message":"of ********"');
  });

  it("is masked where a line holds it as JSON, too", async ({ expect }) => {
    const key = '-----BEGIN "PRIVATE" KEY-----\nMIIEvQ\\IBADANBg\n-----END-----\n';
    rememberSecret(key);
    expect(shown({ pem: key, list: [`of ${key}`] })).toBe('{"pem":"********","list":["of ********"]}');
    using world = offlineWorld();
    const leak = flow({ name: "leak" }, async () => logger().info("inside", { pem: key, all: { pem: key } }));
    await leak();
    expect(lines(world)).toEqual(['20 inside pem="********" all={"pem":"********"}']);
  });
});

it("of secrets the last thousand are known, so that a program may read others for ever", ({ expect }) => {
  for (let i = 0; i <= 1_000; i++) rememberSecret(`secret-${i}.`);
  expect(masked("secret-0. secret-1. secret-1000.")).toBe("secret-0. ******** ********");
});

describe("values in log lines", () => {
  const cycle: Record<string, unknown> = { n: 1 };
  cycle["self"] = cycle;
  it.for([
    [undefined, "undefined"],
    [12n, '"12n"'],
    [cycle, '{"n":1,"self":"[a part of itself]"}'],
    [{ at: new Date(0), to: new URL("https://a.b/c") }, '{"at":"1970-01-01T00:00:00.000Z","to":"https://a.b/c"}'],
    [new Map([["apiKey", "x"]]), '{"apiKey":"********"}'],
    [new Set([1, "a"]), '[1,"a"]'],
    [[new Error("no"), new Uint8Array(3), () => 1], '["Error: no","[3 bytes]","[function without a name]"]'],
    [{ headers: { Authorization: "Bearer x" } }, '{"headers":{"Authorization":"********"}}'],
    [{ a: { b: { c: { d: { e: { f: { g: 1 } } } } } } }, '{"a":{"b":{"c":{"d":{"e":{"f":"…"}}}}}}'],
  ] as const)("are written whatever they are: %s", ([value, text], { expect }) => {
    expect(shown(value)).toBe(text);
  });

  it("are cut where they are long", ({ expect }) => {
    expect(shown("x".repeat(5_000))).toMatch(/^"x{999} … \(5002 characters\)$/);
  });
});

function undo(restore: () => void): Disposable {
  return { [Symbol.dispose]: restore };
}
