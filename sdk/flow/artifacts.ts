/** What a run leaves for people to look at. */
import { ArtifactCreate } from "../protocol/artifacts.ts";
import { currentScope } from "./engine/scope.ts";

interface ArtifactText {
  /** Lower-case letters, digits and dashes. Artifacts with one key are versions of one thing. */
  readonly key?: string;
  readonly description?: string;
}

/** A row of a table artifact. */
export type TableRow = Readonly<Record<string, unknown>>;

/**
 * Artifacts of the run that the calling code belongs to. Each call resolves when the artifact is stored; without a
 * control plane it is kept in memory. Throws outside of a run, and TypeError for a key that cannot be.
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
} as const;

async function create(type: string, text: ArtifactText, data: string): Promise<void> {
  const scope = currentScope();
  const session = scope?.execution.session;
  if (!scope || !session) {
    throw new Error(`artifacts.${type}() was called outside of a flow run. Call it inside a flow or a task of one.`);
  }
  const artifact = ArtifactCreate.safeParse({
    key: text.key ?? null,
    type,
    description: text.description ?? null,
    data,
    flow_run_id: session.run.id,
    task_run_id: scope.task?.taskRunId ?? null,
  });
  if (!artifact.success) {
    const issue = artifact.error.issues[0];
    const field = String(issue?.path[0] ?? "");
    const value = JSON.stringify(Reflect.get(text, field) ?? null);
    throw new TypeError(`artifacts.${type}(): "${field}" is ${value}; it ${issue?.message ?? "is not valid"}.`);
  }
  await session.createArtifact(artifact.data);
}
