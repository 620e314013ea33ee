/** A pool, and deployments of the flows in flows/orders.ts, as a person makes them. */
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { createDeployment } from "../../sdk/protocol/deployments.ts";
import type { JsonObject } from "../../sdk/protocol/flow-runs.ts";
import { createFlow } from "../../sdk/protocol/flows.ts";
import type { DeploymentId } from "../../sdk/protocol/ids.ts";
import type { ControlPlane } from "../e2e/control-plane.ts";
import { OrderParameters } from "./flows/orders.ts";

const SCHEMA = z.toJSONSchema(OrderParameters, { io: "input" }) as JsonObject;
const PROJECT = fileURLToPath(new URL("../..", import.meta.url));

export interface Showcase {
  readonly orders: DeploymentId;
  readonly forever: DeploymentId;
  readonly many: DeploymentId;
}

export async function deployShowcase({ client, pool }: ControlPlane): Promise<Showcase> {
  await pool("local");
  const deploy = async (
    flowName: string,
    name: string,
    entrypoint: string,
    schema: JsonObject | null,
  ): Promise<DeploymentId> => {
    const flow = await client.call(createFlow, { body: { name: flowName } });
    const { id } = await client.call(createDeployment, {
      body: {
        name,
        flow_id: flow.id,
        work_pool_name: "local",
        entrypoint: `test/ui/flows/orders.ts:${entrypoint}`,
        path: PROJECT,
        tags: ["orders"],
        ...(schema && { parameter_openapi_schema: schema, enforce_parameter_schema: true }),
        ...(entrypoint === "orders" && {
          schedules: [{ schedule: { cron: "0 6 * * *", timezone: "Europe/London" }, active: true }],
        }),
      },
    });
    return id;
  };
  return {
    orders: await deploy("daily-orders", "nightly", "orders", SCHEMA),
    forever: await deploy("watch-inbox", "inbox", "forever", null),
    many: await deploy("many-tasks", "load", "many", null),
  };
}
