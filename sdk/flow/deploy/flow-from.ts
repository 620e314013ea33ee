/** Flows whose code is not in this program. */
import type { DeploymentId } from "../../protocol/ids.ts";
import { configuredClient } from "../configuration.ts";
import type { AnyFlow } from "../flow.ts";
import {
  type DeployOptions,
  deployPlanned,
  type PlannedDeployment,
  type PlanOptions,
  planDeployment,
} from "./deployment.ts";
import type { Source } from "./git-source.ts";

/** Which flow of which source. */
export interface SourcedFlowOptions {
  /** Where the code is: `gitSource({ url })`. */
  readonly source: Source;
  /** `path/file.ts:exportName`, from the root of the source. */
  readonly entrypoint: string;
}

/** A flow of a source, loaded once to know its name and its parameters. */
export interface SourcedFlow {
  /** Name of the flow. */
  readonly name: string;
  /** The flow itself, as it was loaded from the source. */
  readonly flow: AnyFlow;
  /**
   * Makes or changes a deployment whose runs workers execute with the code of the source, and answers its id. Throws
   * `SluiceError` where there is no control plane, and what it refuses.
   */
  deploy(options: Omit<DeployOptions, "source" | "entrypoint">): Promise<DeploymentId>;
  /** Plans such a deployment for `deploy([…])`. Sends nothing. */
  toDeployment(options: Omit<PlanOptions, "source" | "entrypoint">): PlannedDeployment;
}

type Loader = typeof import("../../runner/load-from-source.ts");

/**
 * Loads a flow from its source as a worker does, in a folder that is removed when this process ends, so that it can be
 * deployed. Needs Node. Throws what `git` or the setup said when they failed, and an `EntrypointError` that says what
 * is there where the entrypoint leads to no flow.
 */
export async function flowFrom({ source, entrypoint }: SourcedFlowOptions): Promise<SourcedFlow> {
  // By an address that bundlers do not follow: the core stays free of Node's modules. In the package it lies beside this.
  const file = import.meta.url.endsWith(".ts") ? "../../runner/load-from-source.ts" : "./load-from-source.js";
  const loader: Loader = await import(new URL(file, import.meta.url).href);
  const flow = await loader.loadFromSource(source, entrypoint, configuredClient());
  return {
    name: flow.name,
    flow,
    deploy: (options) => deployPlanned(planDeployment(flow, { ...options, source, entrypoint })),
    toDeployment: (options) => planDeployment(flow, { ...options, source, entrypoint }),
  };
}
