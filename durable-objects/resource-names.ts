/**
 * Names of the flows, deployments, pools and parent tasks that events mention, looked up in D1 and remembered for a few
 * minutes. Only events read them; no decision does.
 */
import { LIMITS, SPANS } from "#protocol/limits";
import type { EpochMs } from "#protocol/time";
import { lookUpResources, type ResourceKind, type ResourceRow } from "./storage/resource-lookup.ts";
import type { RunSpec } from "./storage/run-rows.ts";

interface Known {
  /** Null for what does not exist. */
  readonly row: ResourceRow | null;
  readonly until: EpochMs;
}

export class ResourceNames {
  readonly #db: D1Database;
  readonly #now: () => EpochMs;
  readonly #known = new Map<string, Known>();

  constructor(db: D1Database, now: () => EpochMs) {
    this.#db = db;
    this.#now = now;
  }

  /** Looks up whatever these runs mention and is not known. */
  async learn(specs: readonly RunSpec[]): Promise<void> {
    const now = this.#now();
    const wanted = new Map<ResourceKind, Set<string>>();
    const want = (kind: ResourceKind, id: string | null | undefined): void => {
      if (!id || (this.#known.get(id)?.until ?? 0) > now) return;
      wanted.set(kind, (wanted.get(kind) ?? new Set()).add(id));
    };
    for (const spec of specs) {
      want("flow", spec.flowId);
      want("deployment", spec.deploymentId);
      want("pool", spec.placement?.poolId);
      want("taskRun", spec.parentTaskRunId);
    }
    if (wanted.size === 0) return;
    const rows = await lookUpResources(this.#db, wanted);
    if (this.#known.size > LIMITS.rememberedNames) this.#known.clear();
    const until = (now + SPANS.rememberedNamesMs) as EpochMs;
    for (const ids of wanted.values()) for (const id of ids) this.#known.set(id, { row: rows.get(id) ?? null, until });
  }

  flow(id: string): { name: string; tags: string[] } | null {
    return this.#tagged(id);
  }

  deployment(id: string): { name: string; tags: string[] } | null {
    return this.#tagged(id);
  }

  poolType(id: string): string | null {
    return this.#known.get(id)?.row?.more ?? null;
  }

  taskRun(id: string): string | null {
    return this.#known.get(id)?.row?.name ?? null;
  }

  #tagged(id: string): { name: string; tags: string[] } | null {
    const row = this.#known.get(id)?.row;
    return row ? { name: row.name, tags: JSON.parse(row.more ?? "[]") as string[] } : null;
  }
}
