/** Spans of runs, with the real SDK of OpenTelemetry and spans kept in memory. */
import { context, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { afterEach, beforeEach, describe, it } from "vitest";
import { createClient } from "../../sdk/client/index.ts";
import { executeFlowRun } from "../../sdk/flow/engine/execute-flow-run.ts";
import { configure, flow, task } from "../../sdk/index.ts";
import { offlineWorld } from "./offline-world.ts";
import { tinyControlPlane } from "./tiny-control-plane.ts";

const exporter = new InMemorySpanExporter();

function configureTracer(): void {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
}

function forgetTracer(): void {
  trace.disable();
  context.disable();
}

const named = (name: string): ReadableSpan => {
  const found = exporter.getFinishedSpans().find((span) => span.name === name);
  if (!found) throw new Error(`There is no span "${name}".`);
  return found;
};
const idOf = (span: ReadableSpan): string => span.spanContext().spanId;
const parentOf = (name: string): string | undefined => named(name).parentSpanContext?.spanId;

describe("with a tracer", () => {
  beforeEach(configureTracer);
  afterEach(() => {
    forgetTracer();
    exporter.reset();
  });

  it("each run has a span below that of the run it belongs to", async ({ expect }) => {
    using world = offlineWorld();
    const inner = task({ name: "inner", taskRunName: "inner" }, async () => {
      trace.getTracer("library").startSpan("library").end();
    });
    const outer = task({ name: "outer", taskRunName: "outer", tags: ["slow"] }, async (_n: number) => inner());
    const child = flow({ name: "child", flowRunName: "child" }, async () =>
      inner.withOptions({ taskRunName: "leaf" })(),
    );
    const main = flow(
      { name: "main", flowRunName: "main", tags: ["nightly"] },
      async (_: { n: number; rows: string[] }) => {
        await outer(1);
        await outer.withOptions({ taskRunName: "submitted" }).submit(2).result();
        await child();
      },
    );
    await main({ n: 1, rows: [] });

    expect(parentOf("main")).toBe(undefined);
    expect(parentOf("outer")).toBe(idOf(named("main")));
    expect(parentOf("submitted")).toBe(idOf(named("main")));
    expect(parentOf("inner")).toBe(idOf(named("outer")));
    expect(parentOf("library")).toBe(idOf(named("inner")));
    expect(parentOf("child")).toBe(idOf(named("main")));
    expect(parentOf("leaf")).toBe(idOf(named("child")));
    expect(new Set(exporter.getFinishedSpans().map((span) => span.spanContext().traceId)).size).toBe(1);
    const [run] = world.runs;
    expect(named("main").attributes).toEqual({
      "prefect.run.name": "main",
      "prefect.run.type": "flow",
      "prefect.run.id": run?.run.id,
      "prefect.tags": ["nightly"],
      "prefect.run.parameter.n": "number",
      "prefect.run.parameter.rows": "array",
    });
    expect(named("outer").attributes).toMatchObject({
      "prefect.run.type": "task",
      "prefect.tags": ["slow"],
      "prefect.run.parameter._n": "number",
    });
    expect(named("main").status).toEqual({ code: 1 });
    expect(named("main").events.map(({ name }) => name)).toEqual(["Running", "Completed"]);
  });

  it("states are its events, and a failure is its status with the exceptions of all attempts", async ({ expect }) => {
    using world = offlineWorld();
    const flaky = task({ name: "flaky", taskRunName: "flaky", retries: 1, retryDelay: "1s" }, async () => {
      throw new Error("no luck");
    });
    const main = flow({ name: "main", flowRunName: "main" }, async () => flaky());
    await world.clock.run(main().catch(() => undefined));
    const span = named("flaky");
    expect(span.status).toEqual({ code: 2, message: "Error: no luck" });
    const events = span.events.map(({ name }) => name);
    const attempts = ["Running", "exception", "AwaitingRetry", "Retrying", "exception", "Failed"];
    expect(events).toEqual(["Pending", ...attempts]);
    expect(span.events.at(-1)?.attributes).toMatchObject({
      "prefect.state.type": "FAILED",
      "prefect.state.name": "Failed",
      "prefect.state.message": "Error: no luck",
    });
    expect(named("main").status).toEqual({ code: 2, message: "Error: no luck" });
  });

  it("a run that another one has started goes on with its trace, and tells its own", async ({ expect }) => {
    await using plane = await tinyControlPlane();
    const restore = configure({ apiUrl: plane.url, echoLogs: false });
    const parent = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
    const run = plane.createRun({ labels: { __OTEL_TRACEPARENT: parent, team: "data" } });
    const step = task({ name: "step" }, async () => 1);
    const main = flow({ name: "main" }, async () => step());
    await executeFlowRun({ client: createClient({ url: plane.url }), flowRunId: run.id, generation: null, flow: main });
    restore();
    const span = named("tiny-run");
    expect(span.parentSpanContext).toMatchObject({ traceId: "a".repeat(32), spanId: "b".repeat(16), isRemote: true });
    expect(span.attributes["team"]).toBe("data");
    expect(Object.keys(span.attributes)).not.toContain("__OTEL_TRACEPARENT");
    expect(run.labels["__OTEL_TRACEPARENT"]).toBe(`00-${"a".repeat(32)}-${idOf(span)}-01`);
    const report = run.stored.find((one) => one.kind === "task");
    expect(report).toMatchObject({
      task: { labels: { __OTEL_TRACEPARENT: `00-${"a".repeat(32)}-${idOf(named("step-0"))}-01` } },
    });
  });
});

describe("without a tracer", () => {
  it("there are no spans, and no labels", async ({ expect }) => {
    await using plane = await tinyControlPlane();
    const restore = configure({ apiUrl: plane.url, echoLogs: false });
    await flow({ name: "main" }, async () => task({ name: "step" }, async () => 1)())();
    restore();
    const [run] = plane.runs.values();
    expect(run?.labels).toEqual({});
    expect(run?.stored.flatMap((one) => (one.kind === "task" ? [one.task.labels] : []))).toEqual([{}]);
    expect(exporter.getFinishedSpans()).toEqual([]);
  });
});
