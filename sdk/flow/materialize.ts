/** Tasks that make assets. */
import type { AssetOrKey } from "./assets.ts";
import type { TaskContext } from "./context.ts";
import { type Annotated, type Task, type TaskOptions, task, type Unannotated, type WithoutContext } from "./task.ts";

/** {@link TaskOptions} of a task that makes assets. */
export interface MaterializeOptions extends TaskOptions {
  /** The tool that makes them, such as `dbt`. */
  readonly by?: string;
}

/** One asset or several. */
type Made = AssetOrKey | readonly AssetOrKey[];

/**
 * Makes a task that makes one asset or several; otherwise as `task`. When a run of it ends, events tell which were
 * materialized (or failed to be), and from which other assets: those of the tasks whose results it takes, and those in the
 * option `assetDeps`. Throws TypeError for keys that are no addresses, and where no asset is named.
 */
export function materialize<P extends unknown[] = Unannotated, R = unknown>(
  assets: Made,
  run: (...args: P) => R,
  ...guard: Annotated<P>
): Task<WithoutContext<P>, R>;
export function materialize<P extends unknown[] = Unannotated, R = unknown>(
  assets: Made,
  options: MaterializeOptions,
  run: (...args: P) => R,
  ...guard: Annotated<P>
): Task<WithoutContext<P>, R>;
export function materialize<R, A = TaskContext, B = TaskContext, C = TaskContext, D = TaskContext>(
  assets: Made,
  run: (a: A, b: B, c: C, d: D) => R,
): Task<WithoutContext<[A, B, C, D]>, R>;
export function materialize<R, A = TaskContext, B = TaskContext, C = TaskContext, D = TaskContext>(
  assets: Made,
  options: MaterializeOptions,
  run: (a: A, b: B, c: C, d: D) => R,
): Task<WithoutContext<[A, B, C, D]>, R>;
export function materialize(assets: Made, first: unknown, second?: unknown): unknown {
  const { by, ...options } = (typeof first === "function" ? {} : first) as MaterializeOptions;
  const run = (typeof first === "function" ? first : second) as (...args: unknown[]) => unknown;
  const materializes = { assets: [assets].flat() as readonly AssetOrKey[], ...(by === undefined ? {} : { by }) };
  if (materializes.assets.length === 0) throw new TypeError("materialize() needs an asset: materialize(asset, fn).");
  return task({ ...options, materializes }, run);
}
