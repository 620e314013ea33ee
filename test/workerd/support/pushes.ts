/** An http work pool whose queue is the test's to deliver, and a target that answers as it is told. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { FlowRunId } from "#protocol/ids";
import { PushFrame } from "#protocol/push";
import type { PushMessage } from "../../../durable-objects/work-pool-owner.ts";
import { consumePushes } from "../../../worker/queues/pushes.ts";
import { call, freshName, type Named } from "./api.ts";
import { until } from "./runs.ts";

export const URL_OF_TARGET = "https://flows.example/push";
export const ACCEPTED = () => Response.json({ duplicate: false, budget_ms: 25_000 }, { status: 202 });

export interface Received {
  readonly url: string;
  readonly request: Request;
  readonly body: string;
  readonly frame: PushFrame["data"];
}

export class HttpPool {
  readonly name: string;
  readonly secret: string;
  /** Messages of the queue, in order. */
  readonly sent: PushMessage[] = [];
  /** What reached the target. */
  readonly received: Received[] = [];
  /** The target; it may throw, as a network does. */
  answer: (received: Received) => Response | Promise<Response> = ACCEPTED;

  private constructor(name: string, secret: string) {
    this.name = name;
    this.secret = secret;
  }

  static async open(more: { readonly url?: string | null; readonly pool?: object } = {}): Promise<HttpPool> {
    const name = freshName("http-pool");
    const { url = URL_OF_TARGET } = more;
    await call("POST", "/work_pools/", { name, type: "http", base_job_template: template(url), ...more.pool });
    const { body } = await call<{ secret: string }>("PUT", `/work_pools/${name}/push_secrets`, {});
    const pool = new HttpPool(name, body.secret);
    await pool.standIn();
    return pool;
  }

  get stub() {
    return env.WORK_POOLS.getByName(this.name);
  }

  /** Takes the place of the queue; again after the object has lost its memory. */
  async standIn(): Promise<void> {
    await runInDurableObject(this.stub, (instance) => {
      instance.sendPush = async (message) => void this.sent.push(message);
    });
  }

  async deployment(flow: Named, more: object = {}): Promise<Named> {
    const request = { name: freshName("deployment"), flow_id: flow.id, work_pool_name: this.name, ...more };
    return (await call<Named>("POST", "/deployments/", request)).body;
  }

  /** Waits for so many messages, and answers the last of them. */
  async message(count = this.sent.length + 1): Promise<PushMessage> {
    return until(`message ${count} of ${this.name}`, async () => this.sent[count - 1]);
  }

  /** Delivers a message as the queue does; answers after how many seconds it is to come again, or null. */
  async deliver(message: object): Promise<number | null> {
    let delaySeconds: number | null | undefined;
    // The platform's own test batch does not tell when a message is to come again.
    const heard = {
      queue: "pushes",
      messages: [
        {
          id: crypto.randomUUID(),
          timestamp: new Date(),
          attempts: 1,
          body: message,
          ack: () => {
            delaySeconds = null;
          },
          retry: (how?: { delaySeconds?: number }) => {
            delaySeconds = how?.delaySeconds ?? 0;
          },
        },
      ],
    } as unknown as MessageBatch<unknown>;
    await consumePushes(heard, env, async (url, init) => {
      const request = new Request(url, init);
      const body = await request.clone().text();
      const received = { url, request, body, frame: PushFrame.parse(JSON.parse(body)).data };
      this.received.push(received);
      return this.answer(received);
    });
    if (delaySeconds === undefined) throw new Error("The message was neither acknowledged nor put back.");
    return delaySeconds;
  }
}

export async function whyOf(id: FlowRunId) {
  const { body } = await call<{ reasons: { kind: string; message: string; details: object }[] }>(
    "GET",
    `/flow_runs/${id}/why`,
  );
  return body.reasons;
}

function template(url: string | null) {
  return {
    job_configuration: { url: "{{ url }}", headers: "{{ headers }}", api_url: "{{ api_url }}" },
    variables: {
      type: "object",
      properties: {
        url: { type: "string", ...(url === null ? {} : { default: url }) },
        headers: { type: "object" },
        api_url: { type: "string" },
        token: { type: "string" },
      },
    },
  };
}
