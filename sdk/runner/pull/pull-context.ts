/** What a pull step has to work with. */
export interface PullContext {
  /** Where the step works; later steps see what earlier ones set. */
  readonly directory: string;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  readonly onLine: (line: string, stream: "stdout" | "stderr") => void;
}

/** An input that is text and not empty; null for one that was not given. */
export function textInput(inputs: Readonly<Record<string, unknown>>, name: string): string | null {
  const value = inputs[name];
  return typeof value === "string" && value !== "" ? value : null;
}
