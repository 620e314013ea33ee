/** What a run leaves for people to look at. */
import type { Artifact } from "../protocol/artifacts.ts";
import { SluiceError } from "../protocol/errors.ts";
import { requiredClient } from "./deploy/deployment.ts";
import { currentScope } from "./engine/scope.ts";

interface ArtifactText {
  /** Lower-case letters, digits and dashes. Artifacts with one key are versions of one thing. */
  readonly key?: string;
  readonly description?: string;
}

/** A row of a table artifact. */
export type TableRow = Readonly<Record<string, unknown>>;

/**
 * Artifacts of the run that the calling code belongs to: a flow's, or a task's, also in the background. Each call resolves
 * when the artifact is stored; without a control plane that of a flow is kept in memory. A task that was called outside of
 * any flow leaves an artifact of no run, since nobody hears of its own. Throws outside of a run, TypeError for a key that
 * cannot be, and `SluiceError` without a control plane for a task outside of any flow.
 */
export const artifacts = {
  /** Leaves a text in Markdown. */
  async markdown(artifact: ArtifactText & { readonly markdown: string }): Promise<void> {
    await create("markdown", artifact, artifact.markdown);
  },
  /** Leaves a table. Cells are written as JSON; the columns are those of the first row. */
  async table(artifact: ArtifactText & { readonly rows: readonly TableRow[] }): Promise<void> {
    await create("table", artifact, JSON.stringify(artifact.rows));
  },
  /** Leaves a link; `text` (default: the address) is what is shown. */
  async link(artifact: ArtifactText & { readonly link: string; readonly text?: string }): Promise<void> {
    await create("markdown", artifact, `[${artifact.text ?? artifact.link}](${artifact.link})`);
  },
  /** Leaves an image by its address. */
  async image(artifact: ArtifactText & { readonly imageUrl: string }): Promise<void> {
    await create("image", artifact, artifact.imageUrl);
  },
  /**
   * Reads the artifact that was left last under a key, by whichever run; null when nobody left one. Its `data` are as they are
   * kept: the text of Markdown and links, the rows of a table as JSON text, an image's address, a progress as a number.
   * Throws `SluiceError` without a control plane.
   */
  async get(key: string): Promise<Artifact | null> {
    const client = currentScope()?.execution.session?.client ?? requiredClient("artifacts.get()");
    const { readLatestArtifact } = await import("../protocol/artifacts.ts");
    try {
      return await client.call(readLatestArtifact, { params: { key } }, { idempotent: true });
    } catch (error) {
      if (error instanceof SluiceError && error.code === "not_found") return null;
      throw error;
    }
  },
  /** Leaves how far something is, in percent from 0 to 100, and answers what tells how far it is now. */
  async progress(artifact: ArtifactText & { readonly progress: number }): Promise<ProgressArtifact> {
    percent(artifact.progress);
    const stored = await create("progress", artifact, artifact.progress);
    return {
      update: async (progress) => {
        percent(progress);
        if (stored !== null) await stored(progress);
      },
    };
  },
} as const;

/** A progress that was left, and goes on. */
export interface ProgressArtifact {
  /** Sets how far it is, in percent from 0 to 100. Throws RangeError for another number. */
  update(progress: number): Promise<void>;
}

function percent(progress: number): void {
  if (progress >= 0 && progress <= 100) return;
  throw new RangeError(`The progress is ${progress}. Give percent from 0 to 100.`);
}

/** Answers what changes the data of the artifact; null where it is only kept in memory. */
async function create(
  type: string,
  text: ArtifactText,
  data: string | number,
): Promise<((data: unknown) => Promise<void>) | null> {
  const scope = currentScope();
  const execution = scope?.execution;
  if (!execution || (execution.session === null && scope.task === null)) {
    throw new Error(`artifacts.${type}() was called outside of a run. Call it inside a flow or a task.`);
  }
  const { ArtifactCreate } = await import("../protocol/artifacts.ts");
  const artifact = ArtifactCreate.safeParse({
    key: text.key ?? null,
    type,
    description: text.description ?? null,
    data,
    flow_run_id: execution.flowRunId,
    task_run_id: execution.isReported ? (scope.task?.taskRunId ?? null) : null,
  });
  if (!artifact.success) {
    const issue = artifact.error.issues[0];
    const field = String(issue?.path[0] ?? "");
    const value = JSON.stringify(Reflect.get(text, field) ?? null);
    throw new TypeError(`artifacts.${type}(): "${field}" is ${value}; it ${issue?.message ?? "is not valid"}.`);
  }
  if (execution.session !== null) return await execution.session.createArtifact(artifact.data);
  const client = requiredClient(`artifacts.${type}(), in a task outside of any flow,`);
  const { storeArtifact } = await import("./engine/store-artifact.ts");
  return await storeArtifact(client, artifact.data);
}
