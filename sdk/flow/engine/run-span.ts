/**
 * OpenTelemetry spans of runs: one for each flow run and task run, when the program has configured a tracer. Its package is
 * an optional peer and loaded only then; without one, a run costs one look at a global.
 */
import type { Attributes, Context, Exception, Span } from "@opentelemetry/api";
import type { Labels } from "../../protocol/flow-runs.ts";
import type { State } from "../../protocol/states.ts";
import { echo } from "./echo.ts";

type Api = typeof import("@opentelemetry/api");

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

export class RunSpan {
  readonly #api: Api;
  readonly #span: Span;
  readonly #context: Context;

  /** Within the trace that the run's labels name, or else within `parent`, or else within what is active. */
  constructor(api: Api, run: TracedRun, parent: RunSpan | null) {
    const outer = parent === null ? api.context.active() : parent.#context;
    const told = parsed(run.labels[TRACEPARENT_LABEL]);
    const around = told === null ? outer : api.trace.setSpanContext(outer, { ...told, isRemote: true });
    this.#api = api;
    this.#span = api.trace.getTracer("sluice").startSpan(run.name, { attributes: attributesOf(run) }, around);
    this.#context = api.trace.setSpan(outer, this.#span);
  }

  /** As W3C's Trace Context has it. */
  get traceparent(): string {
    const { traceId, spanId, traceFlags } = this.#span.spanContext();
    return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, "0")}`;
  }

  entered({ id, type, name, message }: State): void {
    this.#span.addEvent(name, {
      "prefect.state.message": message ?? "",
      "prefect.state.type": type,
      "prefect.state.name": name,
      "prefect.state.id": id,
    });
  }

  threw(error: unknown): void {
    this.#span.recordException(error instanceof Error ? (error as Exception) : String(error));
  }

  /** Ends it. A run that only stopped here, to go on later, has neither succeeded nor failed. */
  end(state: State | null): void {
    const { SpanStatusCode } = this.#api;
    if (state?.type === "COMPLETED") this.#span.setStatus({ code: SpanStatusCode.OK });
    else if (state?.type === "FAILED" || state?.type === "CRASHED" || state?.type === "CANCELLED") {
      this.#span.setStatus({ code: SpanStatusCode.ERROR, message: state.message ?? "Run failed" });
    }
    this.#span.end();
  }

  /** Calls back with the span active, so that spans of libraries are below it. */
  inside<T>(callback: () => T): T {
    return this.#api.context.with(this.#context, callback);
  }
}

const API = Symbol.for("opentelemetry.js.api.1");
let loading: Promise<Api | null> | null = null;

/** Whether the program has configured a tracer: its package leaves this mark, whoever has loaded it. */
export function isTraced(): boolean {
  const registered: unknown = Reflect.get(globalThis, API);
  return typeof registered === "object" && registered !== null && "trace" in registered;
}

/** Starts the span of a run; null, at once, when no tracer is configured. */
export function startSpan(run: TracedRun, parent: RunSpan | null): Promise<RunSpan | null> | null {
  if (!isTraced()) return null;
  loading ??= import("@opentelemetry/api").catch((error: unknown) => {
    echo("warn", "sluice", `A tracer is configured, but @opentelemetry/api was not loaded: ${String(error)}`);
    return null;
  });
  return loading.then((api) => (api === null ? null : new RunSpan(api, run, parent)));
}

function attributesOf({ type, id, name, tags, parameters, labels }: TracedRun): Attributes {
  const attributes: Attributes = {
    "prefect.run.name": name,
    "prefect.run.type": type,
    "prefect.run.id": id,
    "prefect.tags": [...tags],
  };
  for (const [key, value] of Object.entries(parameters)) attributes[`prefect.run.parameter.${key}`] = kindOf(value);
  for (const [key, value] of Object.entries(labels)) if (!key.startsWith("__")) attributes[key] = value;
  return attributes;
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

function parsed(traceparent: unknown): { traceId: string; spanId: string; traceFlags: number } | null {
  const [, traceId = "", spanId = "", flags = ""] =
    /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(String(traceparent)) ?? [];
  return traceId === "" ? null : { traceId, spanId, traceFlags: Number.parseInt(flags, 16) };
}
