/** Every limit of the system, with its unit and reason. A limit is tested one step over. */
export const LIMITS = {
  /** Bytes of JSON in one run's parameters; upstream's `max_parameter_size`. */
  parameterBytes: 524_288,
  /** Bytes of JSON in a run's context, labels, tags or job variables, each. Rows on Cloudflare hold 2 MB. */
  detailBytes: 131_072,
  /** Bytes of JSON in a state's data: a result is stored elsewhere, and its state says where. */
  stateDataBytes: 262_144,
  /** Characters of a state's message; the rest is cut and marked, since a state must not be lost for its message. */
  stateMessageChars: 65_536,
  /** States of a task run that are kept: the first, and the newest. */
  taskStates: 500,
  /** Characters in a name of a flow, deployment, pool, queue or worker: it becomes part of URLs and object names. */
  nameChars: 255,
  /** Characters in an idempotency key. */
  keyChars: 2_000,
  /** Rows in one page of a list; upstream's `LimitBody`. */
  pageRows: 200,
  /** Flow runs that one scatter plot shows; upstream's limit. */
  dots: 1_000,
  /** Runs that one bulk operation changes; upstream's `BULK_OPERATION_LIMIT`. */
  bulkRows: 50,
  /** Runs that one request makes of a deployment; upstream's `BULK_CREATE_LIMIT`. */
  bulkCreateRows: 100,
  /** Runs that one request makes ahead of, or behind, each schedule of a deployment. */
  scheduledRuns: 1_000,
  /** Due times that a preview of a schedule lists. */
  schedulePreviewTimes: 100,
  /** Runs of one backfill, and those of them that may be open at the same time. */
  backfillRuns: 50_000,
  backfillRunsAtOnce: 100,
  /** Bytes of one request body, other than a log batch. */
  bodyBytes: 8 * 1024 * 1024,
  /** Log lines in one request or frame. */
  logLines: 1_000,
  /** Bytes of one log message; the rest is cut and marked, by the server if not before. Upstream's client splits at 1 MB. */
  logMessageBytes: 1_000_000,
  /** Bytes of log kept for one run; beyond it only errors are kept, after one marker line. */
  logBytesPerRun: 50 * 1024 * 1024,
  /** How long before they are due a worker may take runs, in milliseconds: pools hear of them some minutes ahead. */
  prefetchMs: 180_000,
  /** Items in one batch of the run channel. */
  channelItems: 500,
  /** Nesting depth of a JSON request body. */
  jsonDepth: 64,
  /** Bytes of JSON in a flow run's parameters that still ride in the listed copy (DESIGN: slim index). */
  listedParameterBytes: 65_536,
  /** How often a run may come back unconfirmed from its pool before it ends Crashed. */
  claimAttempts: 3,
  /** Characters of a task key: it is the name of the object that queues the task's runs. */
  taskKeyChars: 1_000,
  /** Task keys of one task worker: the queue of each is asked. */
  subscribedKeys: 1_000,
  /** Background tasks of one task key that wait for a task worker; upstream holds 1,000, in memory. */
  queuedTasks: 100_000,
  /** Delays before retries that a task may list; as upstream. */
  retryDelays: 50,
  /** Retries that a policy may ask for. */
  retries: 1_000,
  /** Concurrency limits that one lease may span: each is asked in turn. */
  limitsPerLease: 32,
  /** Seconds that one request may wait for slots: less than what proxies and clients cut off. */
  waitSeconds: 60,
  /** Bytes of JSON in one block document's data, or in one block schema's fields: a row of D1 holds 2 MB. */
  blockBytes: 1_000_000,
  /** Documents that one block document may bring with it through references, references of references included. */
  nestedBlocks: 200,
  /** Levels of references below one block document; upstream's. */
  blockDepth: 50,
  /** Block documents that one call encrypts anew. */
  rotatedDocuments: 200,
  /** Characters in the name of an event; this limit and the next three are upstream's. */
  eventNameChars: 1_024,
  /** Labels of one resource of an event. */
  eventLabels: 500,
  /** Related resources of one event. */
  eventRelated: 100,
  /** Bytes of one event as JSON. */
  eventBytes: 1_500_000,
  /** Events in one request. */
  eventsPerRequest: 1_000,
  /** Bytes of events that are kept for subscribers who come later; beyond it the oldest go before their time. */
  eventBacklogBytes: 64 * 1024 * 1024,
  /** Bytes that may be on their way to one subscriber; beyond it a subscriber of events is read from what is stored. */
  subscriberBytes: 4 * 1024 * 1024,
  /** Names of flows, deployments and pools that an object remembers for its events. */
  rememberedNames: 2_000,
  /** Bytes that a webhook may be told to take; kept with the delivery, in a row of D1. */
  webhookBodyBytes: 1_000_000,
  /** Deliveries of one webhook that are kept: from senders that proved themselves, and from others. */
  verifiedDeliveries: 50,
  unverifiedDeliveries: 20,
  /** Attempts to push a run to an http target under one claim; the claim is then given back. */
  pushAttempts: 8,
  /** Secrets that a pool signs its pushes with at the same time, and the bytes of each: Standard Webhooks' least. */
  pushSecrets: 3,
  pushSecretBytes: 24,
  /** Bytes of a pushed request, and of what is read of its answer. */
  pushBytes: 65_536,
  pushAnswerBytes: 8_192,
  /** Bytes of a subscriber's filter as JSON. */
  subscriberFilterBytes: 262_144,
} as const;

/** Spans in milliseconds. */
export const SPANS = {
  /** A claim that nobody confirmed within this span is given back, unless its worker is online. */
  claimLeaseMs: 30_000,
  /** An http target answers a push within this span. */
  pushAnswerMs: 10_000,
  /** The first wait before a push is tried again, doubled each time, and the longest. */
  pushRetryMs: 1_000,
  pushRetryMaxMs: 60_000,
  /** The longest Retry-After of an http target that is kept to. */
  pushRetryAfterMs: 300_000,
  /** Nothing was heard of a push for this span after it should have been tried: its message is lost. */
  pushSilenceMs: 60_000,
  /** An http target that accepted a run begins with it within this span, or the claim is given back. */
  pushBeginMs: 30_000,
  /** A claim of a worker that polls: three heartbeats of Prefect's workers, which send one every 30 s. */
  polledClaimMs: 90_000,
  /** The same once infrastructure was asked for: a process of it may still start after its worker has died. */
  submittedClaimMs: 300_000,
  /** A process that serves a deployment is there if it asked for runs within this span. */
  servedMs: 60_000,
  /** A cancellation that nobody confirms within this span is done by the control plane; upstream's default. */
  cancellingMs: 300_000,
  /** A scheduled run that nobody took within this span of its time is marked Late; upstream's default. */
  lateAfterMs: 15_000,
  /** Heartbeats that may be missed before a running flow counts as lost. */
  missedHeartbeats: 3,
  /** Copies of task runs are collected for this long, so that short tasks are copied once. */
  taskCopyDelayMs: 75,
  /** The copy of a task run that goes on may wait this long: a short task is then copied once, when it has ended. */
  runningTaskCopyDelayMs: 1_000,
  /** The copy of a claim may wait this long: RUNNING usually follows, and both are then one copy. */
  claimCopyDelayMs: 200,
  /** A creation is answered after this long even if D1 does not take the copy: the run exists all the same. */
  copyWaitMs: 5_000,
  /** Events are kept this long for subscribers who come later; upstream's longest backfill. */
  eventBacklogMs: 15 * 60_000,
  /** Events of state changes are collected for this long, once one was sent. */
  eventSendDelayMs: 100,
  /** Names that events mention may be this old; upstream's own span. */
  rememberedNamesMs: 5 * 60_000,
  /** The interval of heartbeat events until it was seen: the default of Prefect's clients. */
  heartbeatEventMs: 180_000,
  /** The shortest interval of heartbeat events that Prefect's clients keep. */
  heartbeatEventMinMs: 30_000,
  /** A subscriber that takes nothing for this long is disconnected. */
  subscriberStuckMs: 60_000,
  /** A background task that was delivered and not acknowledged within this span: its worker's socket is looked at. */
  taskLeaseMs: 30_000,
  /** A task worker that holds a task and whose connection is gone may come back within this span: it tries again at most 10 s apart. */
  taskWorkerReturnsMs: 15_000,
  /** A task worker whose socket went away is listed for this long: it may be about to come back. */
  taskWorkerListedMs: 5_000,
  /** While something is not copied or performed, an alarm stands within this span, in case the object goes away. */
  safetyAlarmMs: 10_000,
  /** A hold on one of several limits stands this long before its object asks whether the lease came about. */
  tentativeHoldMs: 10_000,
  /** The longest Retry-After for slots that are held, upstream's default; those of tags, and of the rest. */
  slotWaitMs: 30_000,
  tagSlotWaitMs: 10_000,
  /** For so long a claimed run holds the slot of its deployment without being renewed; upstream's default. */
  slotGraceMs: 300_000,
  /** A run that is called when a slot is free asks again after this, in case the call was lost. */
  calledSlotWaitMs: 10 * 60_000,
} as const;
