/**
 * Work pools of the type "http": a run is pushed as a signed request to a URL, where `serveFlows()` executes it.
 *
 * The request is a message of Standard Webhooks: `webhook-id`, `webhook-timestamp` and `webhook-signature` beside a body
 * of JSON. Its id names the run and the claim, so a repeat is known. The target answers 202 at once, says how long its
 * platform lets it work, and from then on reports over the run channel as every process does.
 */
import { z } from "zod";
import { endpoint } from "./endpoint.ts";
import { DeploymentId, FlowRunId } from "./ids.ts";
import { LIMITS } from "./limits.ts";
import { WireTime } from "./time.ts";

/** The type of work pools whose runs are pushed to a URL. */
export const HTTP_POOL_TYPE = "http";
/** Who holds the claim of a run that was pushed, until a process takes it up. */
export const HTTP_TARGET = "HTTP target";
/** Version of what is pushed and answered. A target refuses a push of another one. */
export const PUSH_PROTOCOL = 1;
/** What stands before the base64 of a secret, as Standard Webhooks has it. */
export const SECRET_PREFIX = "whsec_";

/** What is pushed. Nothing of it is resolved: parameters and secrets are asked for by the run itself. */
export const PushFrame = z.object({
  type: z.literal("flow_run.push"),
  timestamp: WireTime,
  data: z.object({
    protocol: z.int(),
    flow_run_id: FlowRunId,
    name: z.string(),
    /** The claim's number: reports under an older one are refused. */
    generation: z.int(),
    deployment_id: DeploymentId.nullable(),
    flow_name: z.string(),
    /** `path/to/file.ts:exportName`, as the deployment has it. */
    entrypoint: z.string().nullable(),
    /** A key that is good for this run and no longer than it lasts; null where the control plane asks for none. */
    run_token: z.string().nullable(),
    /** Address of the API where the pool's template says one; otherwise the target has to know it. */
    api_url: z.string().nullable(),
  }),
});
export type PushFrame = z.infer<typeof PushFrame>;

/** What a target answers with 202, as one line of JSON; a body that goes on after it is not read. */
export const PushAnswer = z.object({
  /** It has the run under this claim already. */
  duplicate: z.boolean().default(false),
  /** For how many milliseconds the platform lets it work; null for as long as it takes. */
  budget_ms: z.number().min(0).nullable().default(null),
});
export type PushAnswer = z.infer<typeof PushAnswer>;

/** The id of the message that pushes a claim. The same for each attempt to deliver it. */
export function pushId(flowRunId: FlowRunId, generation: number): string {
  return `run_${flowRunId}_${generation}`;
}

/** The bytes of a secret: base64 behind `whsec_`; null where it is none. */
export function secretBytes(secret: string): Uint8Array<ArrayBuffer> | null {
  const text = secret.startsWith(SECRET_PREFIX) ? secret.slice(SECRET_PREFIX.length) : secret;
  if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(text)) return null;
  const bytes = fromBase64(text.replaceAll("-", "+").replaceAll("_", "/"));
  return bytes !== null && bytes.length >= LIMITS.pushSecretBytes ? bytes : null;
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> | null {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const values = [...text.replace(/=+$/, "")].map((letter) => letters.indexOf(letter));
  if (values.includes(-1) || values.length % 4 === 1) return null;
  const bytes = new Uint8Array(Math.floor((values.length * 3) / 4));
  for (let at = 0; at < bytes.length; at++) {
    const first = Math.floor((at * 4) / 3);
    const shift = at % 3;
    const pair = ((values[first] ?? 0) << 6) | (values[first + 1] ?? 0);
    bytes[at] = (pair >> (4 - 2 * shift)) & 0xff;
  }
  return bytes;
}

/** What a pool answers about its secrets; those that were given are not repeated. */
export const PushSecrets = z.object({
  /** How many the pool signs with. */
  secrets: z.int(),
  /** The one that was made, if none was given; it is not shown again. */
  secret: z.string().nullable(),
});
export type PushSecrets = z.infer<typeof PushSecrets>;

/**
 * Replaces all secrets of the pool. 404 for an unknown pool, 409 for one of another type, 503 where the control plane
 * has no key to encrypt them with.
 */
export const writePushSecrets = endpoint({
  id: "write_work_pool_push_secrets",
  method: "PUT",
  path: "/work_pools/:name/push_secrets",
  tag: "Work Pools",
  summary:
    "Set what the pushes of an http work pool are signed with; without `secrets` one is made. Never shown again.",
  params: z.object({ name: z.string() }),
  body: z.object({
    /** Each at least 24 bytes in base64, with or without `whsec_`. Several while one is being changed. */
    secrets: z
      .array(z.string().refine((secret) => secretBytes(secret) !== null, "must be 24 bytes or more in base64"))
      .min(1)
      .max(LIMITS.pushSecrets)
      .nullish(),
  }),
  returns: PushSecrets,
});
