/** Where results are kept, and of which runs: the nearest setting counts. */
import { describe, it } from "vitest";
import { OfflineBackend } from "../../sdk/flow/engine/offline-backend.ts";
import { type FlowCall, runFlow } from "../../sdk/flow/engine/run-flow.ts";
import { type AnyFlow, definitionOf } from "../../sdk/flow/flow.ts";
import { configure, flow, jsonSerializer, memoryStorage, type ResultStorage, task } from "../../sdk/index.ts";
import type { DeploymentId } from "../../sdk/protocol/ids.ts";
import { offlineWorld } from "./offline-world.ts";

/** A storage that tells what was written to it. */
function noted(): ResultStorage & { readonly written: string[] } {
  const inner = memoryStorage();
  const written: string[] = [];
  return {
    ...inner,
    written,
    write: (key, bytes) => {
      written.push(key);
      return inner.write(key, bytes);
    },
  };
}

/** Executes a run as one of a deployment, or of none. */
async function execute(made: AnyFlow, deploymentId: string | null, limits: FlowCall["limits"] = {}): Promise<void> {
  using world = offlineWorld();
  const definition = definitionOf(made);
  const { policy, name: flowName } = definition;
  const request = { flowName, flowVersion: null, runName: null, parameters: {}, policy, tags: [], parent: null };
  const session = await new OfflineBackend({ clock: world.clock, record: true }).createFlowRun(request);
  Object.assign(session.run, { deploymentId: deploymentId as DeploymentId | null });
  await world.execute(() => runFlow(definition, session, {}, world.clock, { limits }));
}

const step = task({ name: "step" }, async () => 1);

describe("results of tasks", () => {
  it.for<[what: string, deploymentId: string | null, own: boolean | undefined, kept: number]>([
    ["of a deployment's run", "019ab5c2-0000-7000-8000-000000000001", undefined, 1],
    ["of a deployment's run whose flow does not want it", "019ab5c2-0000-7000-8000-000000000001", false, 0],
    ["of a run of no deployment", null, undefined, 0],
    ["of a run whose flow wants it", null, true, 1],
  ])("%s are kept, or not", async ([, deploymentId, persist, kept], { expect }) => {
    const storage = noted();
    const results = persist === undefined ? {} : { persist };
    await execute(
      flow({ name: "f", ...results }, async () => step()),
      deploymentId,
      { resultStorage: storage },
    );
    expect(storage.written).toHaveLength(kept);
  });

  it("of a flow that another one called are kept as those of that one, unless it says", async ({ expect }) => {
    using world = offlineWorld({ persist: true });
    const quiet = flow({ name: "quiet", persist: false }, async () => step());
    const plain = flow({ name: "plain" }, async () => step());
    await world.execute(() => flow({ name: "main" }, async () => [await quiet(), await plain()])());
    const kept = world.runs.map(({ tasks }) => [...tasks.values()].map(({ states }) => states.at(-1)?.data !== null));
    expect(kept).toEqual([[], [false], [true]]);
  });

  it("are kept where the task says, or else the process, or else the settings", async ({ expect }) => {
    const [own, process, settings] = [noted(), noted(), noted()];
    const mine = task({ name: "mine", results: { storage: own } }, async () => 1);
    const restore = configure({ results: { storage: settings, persist: true } });
    await execute(
      flow({ name: "f", persist: true }, async () => [await mine(), await step()]),
      null,
      {
        resultStorage: process,
      },
    );
    restore();
    expect([own, process, settings].map(({ written }) => written.length)).toEqual([1, 1, 0]);
  });

  it("are written as the task says", async ({ expect }) => {
    const storage = noted();
    const serializer = { ...jsonSerializer, name: "mine" };
    const mine = task({ name: "mine", results: { serializer } }, async () => 1);
    await execute(
      flow({ name: "f", persist: true }, async () => mine()),
      null,
      { resultStorage: storage },
    );
    const bytes = await storage.read(storage.written[0] ?? "");
    expect(new TextDecoder().decode(bytes ?? undefined)).toContain('"serializer":"mine"');
  });
});
