/** What one task run makes and takes of assets, and what is told of it; events as Prefect's client emits them. */
import type { TaskRunId } from "../../protocol/ids.ts";
import type { State } from "../../protocol/states.ts";
import type { TaskInput } from "../../protocol/task-runs.ts";
import type { Asset } from "../assets.ts";
import type { EmittedEvent } from "../emit-event.ts";

/** What a task says of assets. */
export interface TaskAssets {
  readonly makes: readonly Asset[];
  /** The tool that makes them, such as `dbt`. */
  readonly by: string | null;
  readonly dependsOn: readonly Asset[];
}

/** The assets that stand behind results of a flow run's tasks. */
export class AssetLineage {
  readonly #ofTasks = new Map<string, readonly Asset[]>();
  /** Of results that are objects, so that a result that was awaited first is followed, too. */
  readonly #ofValues = new WeakMap<object, readonly Asset[]>();

  get isEmpty(): boolean {
    return this.#ofTasks.size === 0;
  }

  /** Those behind the task's inputs. Tasks that merely called it are no input. */
  behind(inputs: Readonly<Record<string, readonly TaskInput[]>>, args: readonly unknown[]): Asset[] {
    const found: Asset[] = [];
    for (const [name, all] of Object.entries(inputs)) {
      if (name === "__parents__") continue;
      for (const input of all) found.push(...(this.#ofTasks.get(String(input["id"])) ?? []));
    }
    for (const arg of args) if (typeof arg === "object" && arg !== null) found.push(...(this.#ofValues.get(arg) ?? []));
    return unique(found);
  }

  follow(taskRunId: TaskRunId, assets: readonly Asset[]): void {
    this.#ofTasks.set(taskRunId, assets);
  }

  followValue(taskRunId: TaskRunId, value: unknown): void {
    const assets = this.#ofTasks.get(taskRunId);
    if (assets !== undefined && typeof value === "object" && value !== null) this.#ofValues.set(value, assets);
  }
}

/** The assets of one task run. */
export class TaskRunAssets {
  readonly #makes: readonly Asset[];
  readonly #by: string | null;
  readonly #from: readonly Asset[];
  readonly #metadata = new Map<string, Record<string, unknown>>();

  /** Null for a task run that has to do with none. Its results stand for what it makes, or else for what it takes. */
  static begin(
    { makes, by, dependsOn }: TaskAssets,
    lineage: AssetLineage | null,
    taskRunId: TaskRunId,
    inputs: Readonly<Record<string, readonly TaskInput[]>>,
    args: readonly unknown[],
  ): TaskRunAssets | null {
    const from = unique([...(lineage?.behind(inputs, args) ?? []), ...dependsOn]);
    if (makes.length === 0 && from.length === 0) return null;
    lineage?.follow(taskRunId, makes.length > 0 ? makes : from);
    return new TaskRunAssets(makes, by, from);
  }

  private constructor(makes: readonly Asset[], by: string | null, from: readonly Asset[]) {
    this.#makes = makes;
    this.#by = by;
    this.#from = from;
  }

  /** Throws TypeError for an asset that the task does not make. */
  addMetadata(key: string, metadata: Readonly<Record<string, unknown>>): void {
    if (!this.#makes.some((one) => one.key === key)) {
      throw new TypeError(`The task does not make the asset "${key}". Name it in materialize([…]).`);
    }
    this.#metadata.set(key, { ...this.#metadata.get(key), ...metadata });
  }

  /** What the end of the task run tells. A cached result is no materialization, nor is a cancellation. */
  eventsOf(state: State): EmittedEvent[] {
    if (this.#makes.length === 0 || state.name === "Cached") return [];
    const outcome = state.type === "COMPLETED" ? "succeeded" : state.type === "FAILED" ? "failed" : null;
    if (outcome === null) return [];
    const related = this.#from.map(({ key }) => ({
      "prefect.resource.id": key,
      "prefect.resource.role": "asset",
    }));
    if (this.#by !== null) {
      related.push({ "prefect.resource.id": this.#by, "prefect.resource.role": "asset-materialized-by" });
    }
    return [
      ...this.#from.map((one) => ({ event: "prefect.asset.referenced", resource: resourceOf(one) })),
      ...this.#makes.map((one) => ({
        event: `prefect.asset.materialization.${outcome}`,
        resource: resourceOf(one),
        related,
        payload: this.#metadata.get(one.key) ?? {},
      })),
    ];
  }
}

function resourceOf({ key, properties }: Asset): Record<string, string> {
  const { name, description, url, owners } = properties ?? {};
  return {
    "prefect.resource.id": key,
    ...(name === undefined ? {} : { "prefect.resource.name": name }),
    ...(description === undefined ? {} : { "prefect.asset.description": description }),
    ...(url === undefined ? {} : { "prefect.asset.url": url }),
    ...(owners === undefined ? {} : { "prefect.asset.owners": JSON.stringify(owners) }),
  };
}

function unique(assets: readonly Asset[]): Asset[] {
  return [...new Map(assets.map((one) => [one.key, one])).values()];
}
