/** Values that are handed to running flows. They are kept with the run that gets them. */
import type { ApiClient } from "../../client/index.ts";
import { pause } from "../../client/jitter.ts";
import { SluiceError } from "../../protocol/errors.ts";
import type { FlowRunId } from "../../protocol/ids.ts";
import { requiredClient } from "../deploy/deployment.ts";
import { type Duration, parseDuration } from "../duration.ts";
import type { Execution } from "../engine/execution.ts";
import { currentScope, type Scope } from "../engine/scope.ts";
import { TimedOutError } from "../errors.ts";
import { parseInput, type StandardSchema } from "../standard-schema.ts";

const FIRST_LOOK_MS = 100;
const LAST_LOOK_MS = 3_000;
/** In the middle of a run the control plane is waited for. */
export const PATIENCE_MS = 600_000;

/** What an attempt of a run has received; another attempt receives it anew. */
const received = new WeakMap<Execution, { readonly attempt: number; readonly keys: string[] }>();

/** How an input is received. Everything may be left out. */
export interface ReceiveInputOptions<T> {
  /** Holds the value to a schema. Default: any value is taken. */
  readonly schema?: StandardSchema<unknown, T>;
  /** Default: for ever. */
  readonly timeout?: Duration;
  /** Whether the call answers a {@link ReceivedInput}, by which its sender gets an answer. Default false: the value alone. */
  readonly withSender?: boolean;
}

/** A value, and who sent it. */
export interface ReceivedInput<T> {
  readonly value: T;
  /** The flow run whose code sent it; null for one that was sent from outside of flows. */
  readonly sender: FlowRunId | null;
  /**
   * Sends a value back to the sender, which receives it by `receiveInput` with the same topic, or with another one that is
   * given. Throws for a sender that is no flow run, and what `sendInput` throws.
   */
  respond(value: unknown, topic?: string): Promise<void>;
}

const SENDER = "prefect.flow-run.";

/**
 * Hands a value that can be written as JSON to a flow run, which receives it by `receiveInput` with the same topic.
 * Throws `SluiceError` for a run that there is not.
 */
export async function sendInput(flowRunId: FlowRunId, topic: string, value: unknown): Promise<void> {
  const text = JSON.stringify(value);
  if (text === undefined) throw new TypeError(`The input for "${topic}" cannot be written as JSON.`);
  const sender = currentScope()?.flow?.flowRunId;
  const body = {
    key: `${topic}-${crypto.randomUUID()}`,
    value: text,
    ...(sender === undefined ? {} : { sender: `${SENDER}${sender}` }),
  };
  const client = requiredClient("sendInput()");
  const { createFlowRunInput } = await import("../../protocol/flow-run-inputs.ts");
  await client.call(createFlowRunInput, { params: { id: flowRunId }, body });
}

/**
 * Waits for the next value that was sent to this flow run under a topic; values come in the order in which they were
 * sent, each once in an attempt of the run. Throws outside of a run, {@link TimedOutError}, and `ParameterError`
 * for a value that its schema refuses.
 */
export async function receiveInput<T = unknown>(
  topic: string,
  options: ReceiveInputOptions<T> & { readonly withSender: true },
): Promise<ReceivedInput<T>>;
/** Answers the value alone. */
export async function receiveInput<T = unknown>(
  topic: string,
  options?: ReceiveInputOptions<T> & { readonly withSender?: false },
): Promise<T>;
export async function receiveInput<T>(
  topic: string,
  options: ReceiveInputOptions<T> = {},
): Promise<T | ReceivedInput<T>> {
  const scope = flowScope("receiveInput()");
  const { execution } = scope;
  const timeoutMs =
    options.timeout === undefined ? null : parseDuration(options.timeout, 'receiveInput() option "timeout"');
  const known = received.get(execution);
  const seen = known?.attempt === execution.runCount ? known : { attempt: execution.runCount, keys: [] };
  received.set(execution, seen);
  const startedAt = execution.clock.now();
  const client = requiredClient("receiveInput()");
  for (let waitMs = FIRST_LOOK_MS; ; waitMs = Math.min(waitMs * 1.5, LAST_LOOK_MS)) {
    const found = await findInput(client, scope.flow.flowRunId, `${topic}-`, seen.keys);
    if (found !== null) {
      seen.keys.push(found.key);
      const value = (await parseInput(`The input "${topic}"`, options.schema ?? null, found.value)) as T;
      return options.withSender ? receivedFrom(found.sender, topic, value) : value;
    }
    const leftMs = timeoutMs === null ? waitMs : timeoutMs - (execution.clock.now() - startedAt);
    if (leftMs <= 0) throw new TimedOutError(`Waiting for an input "${topic}"`, timeoutMs ?? 0);
    await pause(Math.min(waitMs, leftMs), scope.task?.signal ?? execution.signal);
  }
}

function receivedFrom<T>(from: string | null, topic: string, value: T): ReceivedInput<T> {
  const sender = from?.startsWith(SENDER) ? (from.slice(SENDER.length) as FlowRunId) : null;
  return {
    value,
    sender,
    respond: async (answer, answerTopic = topic) => {
      if (sender === null) {
        throw new Error(
          `The input "${topic}" was not sent by a flow run, so nobody would receive what respond() sends.`,
        );
      }
      await sendInput(sender, answerTopic, answer);
    },
  };
}

/** The oldest input whose key begins so, but for some. */
export async function findInput(
  client: ApiClient,
  id: FlowRunId,
  prefix: string,
  exclude: readonly string[] = [],
): Promise<{ readonly key: string; readonly value: unknown; readonly sender: string | null } | null> {
  const { filterFlowRunInput } = await import("../../protocol/flow-run-inputs.ts");
  const body = { prefix, limit: 1, exclude_keys: [...exclude] };
  const [first] = await client.call(
    filterFlowRunInput,
    { params: { id }, body },
    { idempotent: true, patienceMs: PATIENCE_MS },
  );
  return first ? { key: first.key, value: JSON.parse(first.value), sender: first.sender } : null;
}

/** Stores an input under a key of its own; one that is there stays. */
export async function keepInput(client: ApiClient, id: FlowRunId, key: string, value: unknown): Promise<void> {
  const { createFlowRunInput } = await import("../../protocol/flow-run-inputs.ts");
  try {
    const body = { key, value: JSON.stringify(value) };
    await client.call(createFlowRunInput, { params: { id }, body }, { idempotent: true, patienceMs: PATIENCE_MS });
  } catch (error) {
    if (!(error instanceof SluiceError) || error.code !== "conflict") throw error;
  }
}

/** The scope of the calling code. Throws outside of a flow run. */
export function flowScope(what: string): Scope & { readonly flow: NonNullable<Scope["flow"]> } {
  const scope = currentScope();
  if (!scope?.flow)
    throw new Error(`${what} was called outside of a flow run. Call it inside a flow or a task of one.`);
  return { ...scope, flow: scope.flow };
}
