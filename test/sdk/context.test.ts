/** What running code is told of its run. */
import { describe, it } from "vitest";
import { createClient } from "../../sdk/client/index.ts";
import { executeFlowRun } from "../../sdk/flow/engine/execute-flow-run.ts";
import {
  configure,
  type FlowAncestry,
  type FlowContext,
  flow,
  flowContext,
  tags,
  task,
  taskContext,
} from "../../sdk/index.ts";
import { ms, toWireTime } from "../../sdk/protocol/time.ts";
import { offlineWorld } from "./offline-world.ts";
import { tinyControlPlane } from "./tiny-control-plane.ts";

const told = (context: FlowContext) => ({
  tags: context.tags,
  flowVersion: context.flowVersion,
  deploymentVersion: context.deploymentVersion,
  scheduledStartTime: context.scheduledStartTime,
  jobVariables: context.jobVariables,
  parentTaskRunId: context.parentTaskRunId,
  apiUrl: context.apiUrl,
  uiUrl: context.uiUrl,
});

describe("the context of a flow run", () => {
  it("tells without a control plane what there is", async ({ expect }) => {
    using world = offlineWorld();
    const main = flow({ name: "main", version: "7", tags: ["etl"] }, async () => told(flowContext()));
    const at = new Date(world.clock.now());
    expect(await world.clock.run(tags(["nightly"], () => main()))).toEqual({
      tags: ["etl", "nightly"],
      flowVersion: "7",
      deploymentVersion: null,
      scheduledStartTime: at,
      jobVariables: {},
      parentTaskRunId: null,
      apiUrl: null,
      uiUrl: null,
    });
  });

  it("tells what the control plane knows of the run", async ({ expect }) => {
    await using plane = await tinyControlPlane();
    const restore = configure({ apiUrl: plane.url, echoLogs: false, runLogs: "none" });
    const scheduled = toWireTime(ms(Date.UTC(2026, 10, 20, 6)) as never);
    const run = plane.createRun({
      document: {
        tags: ["auto-scheduled"],
        flow_version: "3",
        deployment_version: "v9",
        expected_start_time: scheduled,
        job_variables: { cpu: 2 },
      },
    });
    let seen: unknown;
    const main = flow({ name: "main", version: "4" }, async (_given: object, context) => {
      seen = told(context);
    });
    await executeFlowRun({ client: createClient({ url: plane.url }), flowRunId: run.id, generation: null, flow: main });
    restore();
    expect(seen).toEqual({
      tags: ["auto-scheduled"],
      flowVersion: "3",
      deploymentVersion: "v9",
      scheduledStartTime: new Date(scheduled),
      jobVariables: { cpu: 2 },
      parentTaskRunId: null,
      apiUrl: `${plane.url}/flow_runs/${run.id}`,
      uiUrl: `${plane.url.replace("/api", "")}/runs/${run.id}`,
    });
  });

  it("knows the runs above it, of this process without asking anybody", async ({ expect }) => {
    using world = offlineWorld();
    const ids: string[] = [];
    const inner = flow({ name: "inner" }, async () => {
      ids.push(flowContext().flowRunId);
      return [flowContext().parentTaskRunId !== null, await flowContext().ancestry()] as const;
    });
    const middle = flow({ name: "middle" }, async () => {
      ids.push(flowContext().flowRunId);
      return await inner();
    });
    const outer = flow({ name: "outer" }, async (): Promise<[FlowAncestry, boolean, FlowAncestry]> => {
      ids.push(flowContext().flowRunId);
      return [await flowContext().ancestry(), ...(await middle())];
    });
    const [ofOuter, isChild, ofInner] = await world.clock.run(outer());
    const [outerId, middleId] = ids;
    expect(ofOuter).toEqual({ parentFlowRunId: null, parentDeploymentId: null, rootFlowRunId: outerId });
    expect(isChild).toBe(true);
    expect(ofInner).toEqual({ parentFlowRunId: middleId, parentDeploymentId: null, rootFlowRunId: outerId });
  });

  it("has no deployment where the run has none", async ({ expect }) => {
    using world = offlineWorld();
    const main = flow({ name: "main" }, async (_given: object, context) => context.deployment());
    expect(await world.clock.run(main({}))).toBeNull();
  });
});

describe("the context of a task run", () => {
  it("tells the tags and the arguments of the call", async ({ expect }) => {
    using world = offlineWorld();
    const count = task({ name: "count" }, async () => 3);
    const load = task({ name: "load", tags: ["io"] }, async (page: number, [first]: string[], { tags, parameters }) => [
      tags,
      parameters,
      page,
      first,
    ]);
    const main = flow({ name: "main" }, async () => tags(["nightly"], () => load(count.submit(), ["a"])));
    expect(await world.clock.run(main())).toEqual([["io", "nightly"], { page: 3, argument1: ["a"] }, 3, "a"]);
  });

  it("tells where the run is to be seen", async ({ expect }) => {
    await using plane = await tinyControlPlane();
    const restore = configure({ apiUrl: plane.url, echoLogs: false, runLogs: "none" });
    const where = task({ name: "where" }, async ({ taskRunId, apiUrl, uiUrl }) => [taskRunId, apiUrl, uiUrl] as const);
    const main = flow({ name: "main" }, async () => [flowContext().flowRunId, await where()] as const);
    const [flowRunId, [id, apiUrl, uiUrl]] = await main();
    const outside = await task(async () => [taskContext().apiUrl, taskContext().uiUrl])();
    restore();
    expect(apiUrl).toBe(`${plane.url}/task_runs/${id}`);
    expect(uiUrl).toBe(`${plane.url.replace("/api", "")}/runs/${flowRunId}?tab=tasks&task=${id}`);
    // Nobody hears of it.
    expect(outside).toEqual([null, null]);
  });
});
