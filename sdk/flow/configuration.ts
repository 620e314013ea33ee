/** Settings of this process: the environment, overlaid with what the program says. Read when a run starts. */
import { type ApiClient, createClient } from "../client/api-client.ts";
import { type Clock, SYSTEM_CLOCK } from "./clock.ts";
import type { RunBackend } from "./engine/backend.ts";
import { currentScope } from "./engine/scope.ts";
import type { Serializer } from "./results/serializer.ts";
import { defaultSerializer, defaultStorage, type ResultSettings } from "./results/settings.ts";
import type { ResultStorage } from "./results/storage.ts";

/** Levels of log lines, the least important first. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** What the SDK itself logs of a run: lines of its start and end, these with inputs and results, or nothing. */
export type RunLogs = "lines" | "values" | "none";

/** Settings of this process. What is not named is taken from the environment. See {@link configure}. */
export interface Settings {
  /** Address of the API. Default: `SLUICE_API_URL`; null or unset runs without a server. */
  readonly apiUrl?: string | null;
  /** API key. Default: `SLUICE_API_KEY`. */
  readonly apiKey?: string | null;
  /** In place of the global `fetch`, for the control plane and for what blocks send. */
  readonly fetch?: typeof fetch;
  /** In place of the machine's clock: retries, waits and timeouts go by it. */
  readonly clock?: Clock;
  /** Least level of log lines that are kept. Default: `SLUICE_LOG_LEVEL`, or "info". */
  readonly logLevel?: LogLevel;
  /** Whether run logs are also written to standard error. Default: true, unless `SLUICE_ECHO_LOGS` is 0. */
  readonly echoLogs?: boolean;
  /**
   * What is logged of each run by itself: "lines" for its beginning (of tasks: at the level "debug") and its end with its
   * duration, "values" for these with parameters, arguments and results, secrets masked, "none". Default: `SLUICE_RUN_LOGS`,
   * or "lines". Failures are always logged.
   */
  readonly runLogs?: RunLogs;
  /** Where results of tasks are kept, and how. */
  readonly results?: ResultSettings;
  /** Where runs live, in place of what `apiUrl` says. For tests. */
  readonly backend?: RunBackend | null;
}

let configured: Settings = {};

/**
 * Overrides settings for runs that start from now on; what is not named stays as it is. Answers a function that
 * undoes the change.
 */
export function configure(settings: Settings): () => void {
  const before = configured;
  configured = { ...configured, ...settings };
  return () => {
    configured = before;
  };
}

const LOG_LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];

export function logLevel(): LogLevel {
  if (configured.logLevel !== undefined) return configured.logLevel;
  const text = environment("SLUICE_LOG_LEVEL")?.toLowerCase();
  return LOG_LEVELS.find((level) => level === text) ?? "info";
}

export function echoLogs(): boolean {
  return configured.echoLogs ?? environment("SLUICE_ECHO_LOGS") !== "0";
}

const RUN_LOGS: readonly RunLogs[] = ["lines", "values", "none"];

export function runLogs(): RunLogs {
  if (configured.runLogs !== undefined) return configured.runLogs;
  const text = environment("SLUICE_RUN_LOGS")?.toLowerCase();
  return RUN_LOGS.find((one) => one === text) ?? "lines";
}

export function clock(): Clock {
  return configured.clock ?? SYSTEM_CLOCK;
}

export function resultStorage(): ResultStorage {
  return configured.results?.storage ?? defaultStorage(environment);
}

export function resultSerializer(): Serializer {
  return configured.results?.serializer ?? defaultSerializer(environment);
}

/** Whether somebody said where results go: the program, or the environment. */
export function isResultStorageChosen(): boolean {
  return configured.results?.storage !== undefined || environment("SLUICE_RESULTS") !== undefined;
}

/** Whether tasks persist their results when neither they nor their flow say; null: in runs of deployments. */
export function persistsResults(): boolean | null {
  return configured.results?.persist ?? null;
}

export function configuredBackend(): RunBackend | null {
  return configured.backend ?? null;
}

/** What requests are made with. */
export function configuredFetch(): typeof fetch {
  return configured.fetch ?? fetch;
}

/** The client of the run that the calling code belongs to, or of the configured control plane; null when there is none. */
export function configuredClient(): ApiClient | null {
  const own = currentScope()?.execution.session?.client;
  if (own !== undefined) return own;
  const url = configured.apiUrl === undefined ? environment("SLUICE_API_URL") : configured.apiUrl;
  if (!url) return null;
  const key = (configured.apiKey === undefined ? environment("SLUICE_API_KEY") : configured.apiKey) ?? null;
  return createClient({ url, key, ...(configured.fetch ? { fetch: configured.fetch } : {}) });
}

/** A variable of the environment, where the runtime has one. An empty one counts as unset. */
function environment(name: string): string | undefined {
  return globalThis.process?.env?.[name] || undefined;
}
