/** How a deployment is named on the command line: `flow/deployment`. */
import { type Parameter, parsed, required } from "./parameters.ts";

export interface DeploymentName {
  readonly flow: string;
  readonly deployment: string;
}

export function deploymentArgument(): Parameter<DeploymentName> {
  return required(deploymentName("Flow and deployment, as flow/deployment."));
}

/** The same where it may be left out. */
export function deploymentName(description: string): Parameter<DeploymentName | undefined> {
  return parsed(description, readName, { placeholder: "flow/deployment" });
}

function readName(given: string): DeploymentName {
  const slash = given.lastIndexOf("/");
  if (slash <= 0 || slash === given.length - 1) throw new Error("not of the form flow/deployment");
  return { flow: given.slice(0, slash), deployment: given.slice(slash + 1) };
}
