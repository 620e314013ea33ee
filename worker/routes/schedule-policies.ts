import { notFound } from "#protocol/errors";
import * as api from "#protocol/schedule-policies";
import * as queries from "../db/queries/schedule-policies.ts";
import { reschedule } from "../scheduling/reschedule.ts";
import { type App, serve } from "../serve.ts";

export function schedulePolicyRoutes(app: App): void {
  serve(
    app,
    api.readSchedulePolicy,
  )(async ({ env, params }) => {
    const policy = await queries.schedulePolicy(env, params.id, params.schedule_id);
    if (!policy) throw notFound("Schedule", params.schedule_id);
    return policy;
  });
  serve(
    app,
    api.setSchedulePolicy,
  )(async ({ env, params, body }) => {
    if (!(await queries.schedulePolicy(env, params.id, params.schedule_id))) {
      throw notFound("Schedule", params.schedule_id);
    }
    const policy = api.policyOf(body);
    await queries.putSchedulePolicy(env, params.id, params.schedule_id, policy);
    await reschedule(env, params.id);
    return policy;
  });
}
