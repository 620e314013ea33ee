/** Follows what a container wrote to CloudWatch. Its client is a package of its own, and one request is all that is needed. */
import { pause } from "../../client/jitter.ts";
import { type Json, object, text } from "../template/fields.ts";
import { type AwsSigner, signedHeaders } from "./signed-headers.ts";

export interface TaskOutput {
  readonly place: LogPlace;
  readonly credentials: () => Promise<Omit<AwsSigner, "region">>;
  readonly intervalMs: number;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Whether the container has ended: what comes then is the rest. */
  isOver(): boolean;
  onLine(line: string): void;
}

export interface LogPlace {
  readonly region: string;
  readonly group: string;
  readonly stream: string;
}

/** CloudWatch has lines a moment after they were written. */
const LATE_MS = 3_000;
const TARGET = "Logs_20140328.GetLogEvents";

/** Null for a container whose output goes elsewhere. `taskArn` ends in the id of the task. */
export function logPlace(container: Json, taskArn: string, region: string): LogPlace | null {
  const logs = object(container["logConfiguration"]);
  const options = object(logs?.["options"]) ?? {};
  const group = text(options, "awslogs-group");
  const prefix = text(options, "awslogs-stream-prefix");
  if (logs?.["logDriver"] !== "awslogs" || group === null || prefix === null) return null;
  const stream = `${prefix}/${String(container["name"])}/${taskArn.split("/").at(-1) ?? ""}`;
  return { region: text(options, "awslogs-region") ?? region, group, stream };
}

/** Resolves when all is read, or when the signal aborts. Throws where logs may not be read. */
export async function followOutput(output: TaskOutput): Promise<void> {
  let token: string | null = null;
  let overAt: number | null = null;
  while (!output.signal.aborted) {
    if (output.isOver()) overAt ??= performance.now();
    const page: LogPage | null = await read(output, token);
    for (const line of page?.lines ?? []) output.onLine(line);
    const isNew = page !== null && page.lines.length > 0;
    token = page?.token ?? token;
    if (overAt !== null && !isNew && performance.now() - overAt > LATE_MS) return;
    const pauseMs = overAt === null ? output.intervalMs : Math.min(output.intervalMs, LATE_MS / 6);
    if (!isNew) await pause(pauseMs, output.signal).catch(() => undefined);
  }
}

interface LogPage {
  readonly lines: readonly string[];
  readonly token: string | null;
}

/** Null for a stream that is not there yet, and while CloudWatch does not answer. */
async function read({ place, credentials, signal }: TaskOutput, token: string | null): Promise<LogPage | null> {
  const url = new URL(endpointOf(place.region));
  const body = JSON.stringify({
    logGroupName: place.group,
    logStreamName: place.stream,
    startFromHead: true,
    ...(token === null ? {} : { nextToken: token }),
  });
  const headers = { "content-type": "application/x-amz-json-1.1", "x-amz-target": TARGET };
  const { accessKeyId, secretAccessKey, sessionToken } = await credentials();
  const signer = { accessKeyId, secretAccessKey, sessionToken, region: place.region };
  const signed = await signedHeaders(url, signer, { service: "logs", body, headers });
  let answer: Response;
  try {
    answer = await fetch(url, { method: "POST", headers: signed, body, signal });
  } catch {
    return null;
  }
  const said = object(await answer.json().catch(() => null)) ?? {};
  if (answer.ok) {
    const events = Array.isArray(said["events"]) ? said["events"] : [];
    const lines = events.map((event) => text(object(event) ?? {}, "message") ?? "");
    return { lines, token: text(said, "nextForwardToken") };
  }
  const type = String(said["__type"]);
  if (answer.status >= 500 || /ResourceNotFound|Throttl/.test(type)) return null;
  throw new Error(`CloudWatch refuses the logs: ${text(said, "message") ?? (type || `status ${answer.status}`)}`);
}

/** As the SDKs of AWS read it. */
function endpointOf(region: string): string {
  const set = process.env["AWS_ENDPOINT_URL_CLOUDWATCH_LOGS"] || process.env["AWS_ENDPOINT_URL"];
  return set || `https://logs.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}/`;
}
