/**
 * OpenTelemetry spans of runs: one for each flow run and task run, when the program has configured a tracer. Its package is
 * an optional peer and loaded only then; without one, a run costs one look at a global.
 */
import type { Labels } from "../../protocol/flow-runs.ts";
import type { State } from "../../protocol/states.ts";
import { echo } from "./echo.ts";

/** The label that carries a trace from one run to those that it starts elsewhere. */
export const TRACEPARENT_LABEL = "__OTEL_TRACEPARENT";

/** What a span is started for. */
export interface TracedRun {
  readonly type: "flow" | "task";
  readonly id: string;
  readonly name: string;
  readonly tags: readonly string[];
  /** By name; only their types are told. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** With the trace that the run belongs to, if somebody has said. */
  readonly labels: Labels;
}

/** The span of one run. Known by this alone, so that programs without OpenTelemetry need not have its types. */
export interface RunSpan {
  /** As W3C's Trace Context has it. */
  readonly traceparent: string;
  entered(state: State): void;
  threw(error: unknown): void;
  /** Ends it. A run that only stopped here, to go on later, has neither succeeded nor failed. */
  end(state: State | null): void;
  /** Calls back with the span active, so that spans of libraries are below it. */
  inside<T>(callback: () => T): T;
}

type Start = (run: TracedRun, parent: RunSpan | null) => RunSpan;

const API = Symbol.for("opentelemetry.js.api.1");
let loading: Promise<Start | null> | null = null;

/** Whether the program has configured a tracer: its package leaves this mark, whoever has loaded it. */
export function isTraced(): boolean {
  const registered: unknown = Reflect.get(globalThis, API);
  return typeof registered === "object" && registered !== null && "trace" in registered;
}

/** Starts the span of a run; null, at once, when no tracer is configured. */
export function startSpan(run: TracedRun, parent: RunSpan | null): Promise<RunSpan | null> | null {
  if (!isTraced()) return null;
  loading ??= load();
  return loading.then((start) => start?.(run, parent) ?? null);
}

async function load(): Promise<Start | null> {
  // Caught where it stands, bundlers take a package that is not there for one that need not be.
  const api = await import("@opentelemetry/api").catch(() => null);
  const { OpenTelemetrySpan: Span } = await import("./run-span.ts");
  if (api !== null) return (run, parent) => new Span(api, run, parent instanceof Span ? parent : null);
  echo(
    "warn",
    "sluice",
    "A tracer is configured, but @opentelemetry/api was not found. Install it beside this package.",
  );
  return null;
}
