/** A run of a deployment with the parameters of another one, written as a command, a request or a program. */
import { createFlowRunFromDeployment, type Deployment } from "#protocol/deployments";
import type { FlowRun } from "#protocol/flow-runs";
import type { Flow } from "#protocol/flows";

export interface CopiedCall {
  readonly run: Pick<FlowRun, "parameters">;
  readonly deployment: Pick<Deployment, "id" | "name">;
  readonly flow: Pick<Flow, "name">;
  /** E.g. "http://127.0.0.1:4200". */
  readonly origin: string;
}

export function asCli({ run, deployment, flow, origin }: CopiedCall): string {
  const words = Object.entries(run.parameters).map(([name, value]) => {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    return ` --param ${quoted(`${name}=${text}`)}`;
  });
  return `SLUICE_API_URL=${quoted(`${origin}/api`)} sluice deployment run ${quoted(`${flow.name}/${deployment.name}`)}${words.join("")}`;
}

export function asCurl({ run, deployment, origin }: CopiedCall): string {
  const path = createFlowRunFromDeployment.path.replace(":id", deployment.id);
  const body = JSON.stringify({ parameters: run.parameters });
  return `curl -X POST ${quoted(`${origin}/api${path}`)} -H "Authorization: Bearer $SLUICE_API_KEY" -H 'Content-Type: application/json' -d ${quoted(body)}`;
}

export function asTypeScript({ run, deployment, origin }: CopiedCall): string {
  return [
    'import { createClient } from "sluice/client";',
    'import { createFlowRunFromDeployment } from "sluice/protocol";',
    "",
    `const client = createClient({ url: ${JSON.stringify(`${origin}/api`)}, key: process.env.SLUICE_API_KEY ?? null });`,
    "const run = await client.call(createFlowRunFromDeployment, {",
    `  params: { id: ${JSON.stringify(deployment.id)} },`,
    `  body: { parameters: ${JSON.stringify(run.parameters)} },`,
    "});",
    "console.log(run.id);",
    "",
  ].join("\n");
}

/** For a POSIX shell. */
function quoted(text: string): string {
  return /^[A-Za-z0-9_./:=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
