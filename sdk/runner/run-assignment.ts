/** What the worker tells the process of a run, and how: by its environment and one inherited pipe. */

/** All that the process has to know at its start; everything else it asks the control plane for. */
export interface RunAssignment {
  /** Address of the API, ending in `/api`. */
  readonly apiUrl: string;
  /** The run's own token, where the control plane asks for keys; the worker's key is not handed on. */
  readonly apiKey: string | null;
  readonly flowRunId: string;
  /** The number of the claim; reports under an older one are refused. */
  readonly generation: number;
  /** `path/file.ts:exportName`, relative to the working directory; null when the deployment has none. */
  readonly entrypoint: string | null;
}

/** What a process that was started beforehand is told, as one JSON text on its standard input. */
export interface WarmAssignment {
  readonly cwd: string;
  /** Added to the environment that it has. */
  readonly env: Readonly<Record<string, string>>;
  readonly assignment: RunAssignment;
}

/** The pipe between worker and process: it carries {@link REPORTED} one way, and nothing but its end the other. */
export const CONTROL_FD = 3;
/** The line that says that the end of the run is stored. */
export const REPORTED = "reported";
/** Set for a process that is to wait for its {@link WarmAssignment}. */
export const WARM_VARIABLE = "SLUICE_WARM";

export function toEnvironment(assignment: RunAssignment): Record<string, string | undefined> {
  return {
    SLUICE_API_URL: assignment.apiUrl,
    SLUICE_API_KEY: assignment.apiKey ?? undefined,
    SLUICE_FLOW_RUN_ID: assignment.flowRunId,
    SLUICE_GENERATION: String(assignment.generation),
    SLUICE_ENTRYPOINT: assignment.entrypoint ?? undefined,
  };
}

/** The same for programs that know Prefect's names, such as `prefect flow-run execute`. */
export function toPrefectEnvironment(assignment: RunAssignment): Record<string, string | undefined> {
  return {
    PREFECT_API_URL: assignment.apiUrl,
    PREFECT_API_KEY: assignment.apiKey ?? undefined,
    PREFECT__FLOW_RUN_ID: assignment.flowRunId,
    PREFECT__FLOW_ENTRYPOINT: assignment.entrypoint ?? undefined,
  };
}

/** Reads the assignment; a string is the reason why there is none. */
export function fromEnvironment(env: Readonly<Record<string, string | undefined>>): RunAssignment | string {
  const apiUrl = env["SLUICE_API_URL"];
  const flowRunId = env["SLUICE_FLOW_RUN_ID"];
  const generation = Number(env["SLUICE_GENERATION"] || Number.NaN);
  if (!apiUrl) return "SLUICE_API_URL is not set.";
  if (!flowRunId) return "SLUICE_FLOW_RUN_ID is not set.";
  if (!Number.isInteger(generation)) {
    return `SLUICE_GENERATION is ${JSON.stringify(env["SLUICE_GENERATION"])}, which is not a whole number.`;
  }
  const entrypoint = env["SLUICE_ENTRYPOINT"] || null;
  return { apiUrl, apiKey: env["SLUICE_API_KEY"] || null, flowRunId, generation, entrypoint };
}
