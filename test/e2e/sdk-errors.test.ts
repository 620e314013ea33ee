/** What people read first when something is not as it should be: each error says what is wrong, and what to do. */
import { afterAll, beforeAll, describe, it } from "vitest";
import { z } from "zod";
import { secret } from "../../sdk/blocks/index.ts";
import { configure } from "../../sdk/flow/configuration.ts";
import { isFlow } from "../../sdk/flow/flow.ts";
import { flow, memoryStorage, runDeployment, task, variables } from "../../sdk/index.ts";
import { loadEntrypoint } from "../../sdk/runner/entrypoint.ts";
import { offlineWorld, startTestServer, type TestServer } from "../../sdk/testing/index.ts";

const KEY = "a key of forty characters, only for tests";
const FLOWS = new URL("flows/", import.meta.url).pathname;
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ rootKey: KEY });
});
afterAll(async () => server?.[Symbol.asyncDispose]());

/** The error's words, and after them what to do, as a log line has both. */
async function words(act: () => Promise<unknown>): Promise<string> {
  try {
    await act();
    return "nothing was thrown";
  } catch (error) {
    const { message, fix = "" } = error as Error & { fix?: string };
    return (message.includes(fix) ? message : `${message} ${fix}`)
      .replaceAll(server.origin, "ORIGIN")
      .replaceAll(FLOWS, "FLOWS/");
  }
}

const nothing = flow({ name: "nothing" }, async () => null);

describe("an error", () => {
  it.for<[title: string, act: () => Promise<unknown>, message: string]>([
    [
      "for a key that is refused",
      () => withKey("slu_wrong", nothing),
      'The Sluice API at ORIGIN/api refuses the API key that was sent. Send a key as "Authorization: Bearer …"; the CLI and the SDK take it from SLUICE_API_KEY.',
    ],
    [
      "for a key that is missing",
      () => withKey(null, nothing),
      'The Sluice API at ORIGIN/api wants an API key, and none was sent. Send a key as "Authorization: Bearer …"; the CLI and the SDK take it from SLUICE_API_KEY.',
    ],
    [
      "for a secret that is missing",
      () => secret.load("password"),
      `There is no block "password" of type "secret". Save it from a program, or with: sluice block create secret/password --data '{…}'`,
    ],
    [
      "for a name that is taken",
      async () => {
        await secret.save("taken", { value: "x" });
        await secret.save("taken", { value: "y" });
      },
      'A block of type "secret" named "taken" already exists. Choose another name, or replace it: save(name, fields, { overwrite: true }).',
    ],
    [
      "for a deployment that is missing",
      () => runDeployment("nothing/daily"),
      'Deployment "nothing/daily" was not found. Check the id or name, and that the deployment was not deleted.',
    ],
    [
      "for a pool that is missing",
      () => nothing.deploy({ name: "d", workPool: "none", entrypoint: "flows/nothing.ts:nothing" }),
      'Work pool "none" was not found. Create it first: sluice work-pool create none',
    ],
    [
      "for a field that the API does not take",
      () => variables.set("A b", 1),
      'Invalid request received. Field body.name: may hold lower-case letters, digits, dashes and underscores only (got "A b").',
    ],
    [
      "for a parameter that does not fit its rule",
      () =>
        flow(
          { name: "p", parameters: z.object({ limit: z.int().max(10), day: z.iso.date() }) },
          async () => 1,
        )({ limit: 50 } as never),
      'Flow "p" does not take these parameters. "limit" is 50: Too big: expected number to be <=10; "day" is missing: Invalid input: expected string, received undefined.',
    ],
    [
      "for an entrypoint with no such export",
      () => loadEntrypoint("steps.ts:nothing", FLOWS, isFlow),
      'steps.ts has no export "nothing". It exports: steps, untilTold, busy, withProcess, exits, throwsAside, notAFlow. The flows it exports: steps, untilTold, busy, withProcess, exits, throwsAside. Correct the path, which begins at the folder where the command runs, or the name of the export.',
    ],
    [
      "for an entrypoint with no such file",
      () => loadEntrypoint("none.ts:nothing", FLOWS, isFlow),
      "There is no file FLOWS/none.ts on this machine. In that folder there are: beats.ts, continues.ts, steps.ts, throws-at-import.ts. Correct the path, which begins at the folder where the command runs, or the name of the export.",
    ],
  ])("%s says what to do", async ([, act, message], { expect }) => {
    using _ = disposing(configure({ apiKey: KEY }));
    expect(await words(act)).toBe(message);
  });

  it("for an API that cannot be reached says what to do", async ({ expect }) => {
    using _ = disposing(configure({ apiUrl: "http://127.0.0.1:1" }));
    expect(await words(() => nothing())).toMatch(
      /^The Sluice API at http:\/\/127\.0\.0\.1:1\/api cannot be reached: .+\. Start the server with `sluice server start`, set SLUICE_API_URL to where it listens, or unset it to run without a server\.$/,
    );
    using __ = disposing(configure({ apiUrl: null }));
    expect(await words(() => secret.load("x"))).toBe(
      "load() needs a control plane, and none is configured. Start one with `sluice server start` and set SLUICE_API_URL to its address.",
    );
  });

  it("for a result that cannot be kept says which, and what to do", async ({ expect }) => {
    using world = offlineWorld();
    const opens = task({ name: "opens", persist: true }, async () => ({ open: [new (class Client {})()] }));
    const message =
      'result.open[0] of task run "opens-0" is an instance of Client, which cannot be written as JSON. Use plain data, or give the task a serializer of its own (results: { serializer }), or persist: false.';
    expect(await words(() => world.execute(() => flow({ name: "f" }, async () => opens())()))).toBe(message);
  });

  it("says what to do in the log and the state of a run, too", async ({ expect }) => {
    using world = offlineWorld();
    using _ = disposing(configure({ apiKey: KEY, apiUrl: server.apiUrl }));
    const made = flow({ name: "f" }, async () => task({ name: "reads" }, async () => secret.load("gone"))());
    await world.execute(() => made(), { idleMs: 200 }).catch(() => undefined);
    const told = 'There is no block "gone" of type "secret". Save it from a program,';
    expect(world.run.states.at(-1)?.message).toContain(told);
    expect(world.run.logs.at(-1)?.message).toContain(told);
  });
});

async function withKey(apiKey: string | null, made: () => Promise<unknown>): Promise<unknown> {
  using _ = disposing(configure({ apiKey }));
  return await made();
}

function disposing(undo: () => void): Disposable {
  return { [Symbol.dispose]: undo };
}

configure({ results: { storage: memoryStorage() } });
