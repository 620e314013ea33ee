import { notFound } from "#protocol/errors";
import * as api from "#protocol/flow-run-operations";
import type { FlowRunId } from "#protocol/ids";
import { LIMITS } from "#protocol/limits";
import type { Log } from "#protocol/logs";
import { type EpochMs, toWireTime } from "#protocol/time";
import { withEstimates } from "../../durable-objects/flow-run-document.ts";
import { ownerOf } from "../../durable-objects/partition.ts";
import * as queries from "../db/queries/flow-runs.ts";
import { FLOW_RUN_TABLE, runHistory } from "../db/queries/run-history.ts";
import { hydrate } from "../hydrate.ts";
import { paginate } from "../paginate.ts";
import { removeFlowRun } from "../remove-flow-runs.ts";
import { type App, serve, withStatus } from "../serve.ts";

/** Lines of a log that are asked for at a time. */
const LOG_PAGE = 5_000;

export function flowRunOperationRoutes(app: App): void {
  serve(
    app,
    api.resumeFlowRun,
  )(async ({ env, params, body }) => {
    const begunAt = toWireTime(Date.now() as EpochMs);
    const input = body.run_input ? await hydrate(env, body.run_input) : null;
    const result = await ownerOf(env.FLOW_RUNS, params.id)?.resume(params.id, input);
    if (!result) throw notFound("Flow run", params.id);
    return withStatus(result, result.state !== null && result.state.timestamp >= begunAt ? 201 : 200);
  });
  serve(
    app,
    api.bulkDeleteFlowRuns,
  )(async ({ env, body }) => {
    const ids = await queries.listFlowRunIds(env, { flow_runs: body.flow_runs }, body.limit ?? LIMITS.bulkRows);
    const gone = await Promise.all(ids.map((id) => removeFlowRun(env, id)));
    return { deleted: ids.filter((_, index) => gone[index]) };
  });
  serve(
    app,
    api.bulkSetFlowRunState,
  )(async ({ env, body: { flow_runs, state, force, limit } }) => {
    const ids = await queries.listFlowRunIds(env, { flow_runs }, limit ?? LIMITS.bulkRows);
    const outcomes = await Promise.all(ids.map((id) => ownerOf(env.FLOW_RUNS, id)?.setState(id, { state, force })));
    return {
      results: ids.flatMap((id, index) => {
        // A run that was deleted since it was listed has no verdict.
        const outcome = outcomes[index];
        return outcome ? [{ flow_run_id: id, ...outcome.result }] : [];
      }),
    };
  });
  serve(
    app,
    api.paginateFlowRuns,
  )(({ env, body }) => {
    const now = Date.now() as EpochMs;
    return paginate(
      body,
      async (page) => {
        const runs = await queries.listFlowRuns(env, body, { sort: body.sort ?? "ID_DESC", ...page });
        return runs.map((run) => withEstimates(run, now));
      },
      () => queries.countFlowRuns(env, body),
    );
  });
  serve(app, api.readFlowRunHistory)(({ env, body }) => runHistory(env, FLOW_RUN_TABLE, body));
  serve(app, api.averageFlowRunLateness)(({ env, body }) => queries.averageLatenessSeconds(env, body, Date.now()));
  serve(
    app,
    api.downloadFlowRunLogs,
  )(async ({ env, params }) => {
    const run = await ownerOf(env.FLOW_RUNS, params.id)?.read(params.id);
    if (!run) throw notFound("Flow run", params.id);
    const name = encodeURIComponent(`${run.name}-logs.csv`);
    return new Response(csvOf(env, params.id).pipeThrough(new TextEncoderStream()), {
      headers: {
        "content-type": "text/csv; charset=utf-8",
        "content-disposition": `attachment; filename="flow-run-logs.csv"; filename*=UTF-8''${name}`,
      },
    });
  });
  serve(
    app,
    api.readFlowRunState,
  )(async ({ env, params }) => {
    const state = await ownerOf(env.FLOW_RUNS, params.id)?.state(params.id);
    if (!state) throw notFound("Flow run state", params.id);
    return state;
  });
}

/** A page of lines at a time, as the reader asks for more. */
function csvOf(env: Env, id: FlowRunId): ReadableStream<string> {
  let offset = 0;
  return new ReadableStream<string>({
    start: (controller) => controller.enqueue("timestamp,level,flow_run_id,task_run_id,message\r\n"),
    pull: async (controller) => {
      const query = { filter: null, sort: "TIMESTAMP_ASC", limit: LOG_PAGE, offset } as const;
      const lines = (await ownerOf(env.FLOW_RUNS, id)?.logs(id, query)) ?? [];
      offset += lines.length;
      if (lines.length > 0) controller.enqueue(lines.map(csvLine).join(""));
      if (lines.length < LOG_PAGE) controller.close();
    },
  });
}

/** `2026-11-21 05:14:31.123456+00:00`, without the fraction where it is zero: as upstream's file has it. */
function asPython(time: string): string {
  return time.replace("T", " ").replace(/(?:\.000000)?Z$/, "+00:00");
}

function csvLine({ timestamp, level, flow_run_id, task_run_id, message }: Log): string {
  return `${[asPython(timestamp), level, flow_run_id, task_run_id, message].map(csvField).join(",")}\r\n`;
}

function csvField(value: string | number | null): string {
  const text = String(value ?? "");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
