import { notFound } from "#protocol/errors";
import * as api from "#protocol/flow-control";
import type { DeploymentId } from "#protocol/ids";
import { toWireTime } from "#protocol/time";
import { type KeyedRow, keyedLimitOwner } from "../../durable-objects/keyed-limit-owner.ts";
import { runnableDeployment } from "../db/queries/deployments.ts";
import { flowControlOf, storeFlowControl } from "../db/queries/flow-controls.ts";
import { type App, serve } from "../serve.ts";

export function flowControlRoutes(app: App): void {
  serve(
    app,
    api.readFlowControl,
  )(async ({ env, params: { id } }) => {
    await requireDeployment(env, id);
    return (await flowControlOf(env, id)).control;
  });
  serve(
    app,
    api.writeFlowControl,
  )(async ({ env, params: { id }, body }) => {
    await requireDeployment(env, id);
    const before = await flowControlOf(env, id);
    const version = await storeFlowControl(env, id, body, before);
    // An object that was never used is left alone.
    if (before.control.concurrency || body.concurrency) {
      await keyedLimitOwner(env.KEYED_LIMITS, id).configure(body.concurrency, version);
    }
    return body;
  });
  serve(
    app,
    api.readFlowControlRuns,
  )(async ({ env, params: { id } }) => {
    await requireDeployment(env, id);
    const { holders, waiters } = await keyedLimitOwner(env.KEYED_LIMITS, id).status();
    const places = new Map<string, number>();
    return {
      holders: holders.map(toRun),
      waiters: waiters.map((row) => {
        const position = (places.get(row.key) ?? 0) + 1;
        places.set(row.key, position);
        return { ...toRun(row), position };
      }),
    };
  });
}

async function requireDeployment(env: Env, id: DeploymentId): Promise<void> {
  if (!(await runnableDeployment(env, id, null))) throw notFound("Deployment", id);
}

function toRun({ run, key, since }: KeyedRow) {
  return { flow_run_id: run, key, since: toWireTime(since) };
}
