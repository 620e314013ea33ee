/** The OpenTelemetry span of a run. Loaded only where a tracer is configured. */
import type { Attributes, Context, Exception, Span } from "@opentelemetry/api";
import type { State } from "../../protocol/states.ts";
import { type RunSpan, TRACEPARENT_LABEL, type TracedRun } from "./tracing.ts";

type Api = typeof import("@opentelemetry/api");

export class OpenTelemetrySpan implements RunSpan {
  readonly #api: Api;
  readonly #span: Span;
  readonly #context: Context;

  /** Within the trace that the run's labels name, or else within `parent`, or else within what is active. */
  constructor(api: Api, run: TracedRun, parent: OpenTelemetrySpan | null) {
    const outer = parent === null ? api.context.active() : parent.#context;
    const told = parsed(run.labels[TRACEPARENT_LABEL]);
    const around = told === null ? outer : api.trace.setSpanContext(outer, { ...told, isRemote: true });
    this.#api = api;
    this.#span = api.trace.getTracer("sluice").startSpan(run.name, { attributes: attributesOf(run) }, around);
    this.#context = api.trace.setSpan(outer, this.#span);
  }

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

  end(state: State | null): void {
    const { SpanStatusCode } = this.#api;
    if (state?.type === "COMPLETED") this.#span.setStatus({ code: SpanStatusCode.OK });
    else if (state?.type === "FAILED" || state?.type === "CRASHED" || state?.type === "CANCELLED") {
      this.#span.setStatus({ code: SpanStatusCode.ERROR, message: state.message ?? "Run failed" });
    }
    this.#span.end();
  }

  inside<T>(callback: () => T): T {
    return this.#api.context.with(this.#context, callback);
  }
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
