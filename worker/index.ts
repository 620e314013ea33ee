/** The Worker: HTTP, queues, cron, and the objects it brings. */

import type { EpochMs } from "#protocol/time";
import { createApp } from "./app.ts";
import { everyMinute } from "./cron/every-minute.ts";
import { scheduleTick } from "./cron/follow-schedules.ts";
import { isRetentionMinute, removeExpired } from "./cron/retention.ts";
import { finishDeletions } from "./delete-with-runs.ts";
import { consume } from "./queues/consume.ts";

export { ConcurrencyLimitObject } from "../durable-objects/concurrency-limit-object.ts";
export { EgressObject } from "../durable-objects/egress-object.ts";
export { EventHubObject } from "../durable-objects/event-hub-object.ts";
export { EventInboxObject } from "../durable-objects/event-inbox-object.ts";
export { FlowRunObject } from "../durable-objects/flow-run-object.ts";
export { KeyedLimitObject } from "../durable-objects/keyed-limit-object.ts";
export { LogHubObject } from "../durable-objects/log-hub-object.ts";
export { ScheduleLineObject } from "../durable-objects/schedule-line-object.ts";
export { TaskQueueObject } from "../durable-objects/task-queue-object.ts";
export { TaskRunObject } from "../durable-objects/task-run-object.ts";
export { TaskSubscriptionObject } from "../durable-objects/task-subscription-object.ts";
export { WorkPoolObject } from "../durable-objects/work-pool-object.ts";

const app = createApp();

export default {
  fetch: (request, env, ctx) => app.fetch(request, env, ctx),
  queue: (batch, env) => consume(batch, env),
  async scheduled(controller, env, ctx) {
    if (isRetentionMinute(controller.scheduledTime)) ctx.waitUntil(removeExpired(env, Date.now() as EpochMs));
    ctx.waitUntil(finishDeletions(env, Date.now() as EpochMs));
    await Promise.all([everyMinute(controller, env), scheduleTick(env, Date.now() as EpochMs)]);
  },
} satisfies ExportedHandler<Env>;
