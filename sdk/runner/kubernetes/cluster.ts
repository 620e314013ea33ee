/** Which cluster a job goes to: that of a block, or the one that the worker finds around itself. */
import type { KubeConfig } from "@kubernetes/client-node";
import { CannotStartError } from "../cannot-start.ts";
import { object, text } from "../template/fields.ts";
import { ClusterApi } from "./cluster-api.ts";

type Package = typeof import("@kubernetes/client-node");

/** What the package answers when it has found neither a kubeconfig nor a service account. */
const NOWHERE = "http://localhost:8080";

/** Connections and tokens are kept per cluster, for as long as the worker lives. */
export class Clusters {
  readonly #package: Package;
  readonly #known = new Map<string, ClusterApi>();

  constructor(loaded: Package) {
    this.#package = loaded;
  }

  /** `config` is the data of a block kubernetes-cluster-config. Throws {@link CannotStartError}. */
  clusterOf(config: unknown): ClusterApi {
    const key = JSON.stringify(config ?? null);
    const known = this.#known.get(key);
    if (known) return known;
    const kube = new this.#package.KubeConfig();
    const block = object(config);
    if (block === null) this.#findDefault(kube);
    else load(kube, block);
    const server = kube.getCurrentCluster()?.server;
    if (server === undefined) {
      throw new CannotStartError(
        `The kubeconfig has no cluster for its context "${kube.getCurrentContext()}". It has the contexts: ${kube
          .getContexts()
          .map(({ name }) => name)
          .join(", ")}.`,
      );
    }
    const api = new ClusterApi(kube, server);
    this.#known.set(key, api);
    return api;
  }

  #findDefault(kube: KubeConfig): void {
    try {
      kube.loadFromDefault();
    } catch (error) {
      throw new CannotStartError(`The worker's kubeconfig could not be read: ${(error as Error).message}`);
    }
    if (kube.getCurrentCluster()?.server !== NOWHERE || process.env["KUBECONFIG"]) return;
    throw new CannotStartError(
      'The worker knows no Kubernetes cluster. Set KUBECONFIG, start it inside the cluster, or name a block in the job variable "cluster_config".',
    );
  }
}

function load(kube: KubeConfig, block: Readonly<Record<string, unknown>>): void {
  const { config } = block;
  const context = text(block, "context_name");
  try {
    kube.loadFromString(typeof config === "string" ? config : JSON.stringify(config));
  } catch (error) {
    throw new CannotStartError(
      `The kubeconfig of the job variable "cluster_config" cannot be read: ${(error as Error).message}`,
    );
  }
  if (context !== null) kube.setCurrentContext(context);
}
