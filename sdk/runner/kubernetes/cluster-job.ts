/** A Job and its Secret in the cluster: made, and deleted. */
import type { RunTicket } from "../../protocol/worker-channel.ts";
import type { Json } from "../template/fields.ts";
import { type ClusterApi, ClusterError } from "./cluster-api.ts";
import { LABEL, secretManifest } from "./job-manifest.ts";
import type { KubernetesJob } from "./kubernetes-job.ts";
import type { ClusterObject, JobObject } from "./kubernetes-objects.ts";

export interface ClusterJob {
  readonly api: ClusterApi;
  readonly namespace: string;
  /** Of the Job, and of its Secret. */
  readonly name: string;
  readonly hasSecret: boolean;
}

export interface CreateJobOptions {
  readonly job: KubernetesJob;
  readonly manifest: Json;
  readonly ticket: RunTicket;
  readonly apiKey: string | null;
}

/** A cluster that does not answer is asked for so long before the run is given back. */
const CREATE_WITHIN_MS = 10_000;
const DELETE_WITHIN_MS = 60_000;
/** The cluster deletes the Secret with its Job at the latest: nobody waits for that. */
const DELETE_SECRET_WITHIN_MS = 1_000;
/** Unknown fields of a manifest are refused by name, rather than left out without a word. */
const STRICT = { fieldValidation: "Strict" };

/**
 * First the Secret, since a pod that misses it waits long before it looks again. Jobs of older claims of the run are
 * deleted before. Throws {@link ClusterError}, and has left nothing behind then.
 */
export async function createJob(made: ClusterJob, { job, manifest, ticket, apiKey }: CreateJobOptions): Promise<void> {
  const { api, namespace, name } = made;
  await deleteOlder(made, ticket);
  if (apiKey !== null) {
    await create(made, secretsOf(namespace), secretManifest(name, job, ticket, apiKey));
  }
  try {
    const { metadata } = await create<JobObject>(made, jobsOf(namespace), manifest);
    if (apiKey === null || metadata.uid === undefined) return;
    // The cluster then deletes the Secret with the Job, also when this worker is gone.
    const owner = { apiVersion: "batch/v1", kind: "Job", name, uid: metadata.uid };
    await api.insist("PATCH", `${secretsOf(namespace)}/${name}`, CREATE_WITHIN_MS, {
      body: { metadata: { ownerReferences: [owner] } },
      contentType: "application/merge-patch+json",
    });
  } catch (error) {
    await Promise.allSettled([deleteJob(made, 0), deleteSecret(made)]);
    throw error;
  }
}

/** With its pods. What is gone already is what was wanted. Answers how many pods there were to be ended. */
export async function deleteJob({ api, namespace, name }: ClusterJob, graceS: number): Promise<number> {
  // The Job first, so that no pod takes the place of the one that ends.
  await remove(api, `${jobsOf(namespace)}/${name}`, { propagationPolicy: "Background" });
  const query = { labelSelector: `${LABEL.job}=${name}` };
  const { items = [] } = await api.insist<{ items?: readonly ClusterObject[] }>(
    "GET",
    podsOf(namespace),
    DELETE_WITHIN_MS,
    { query },
  );
  const pods = items.map(({ metadata }) =>
    remove(api, `${podsOf(namespace)}/${metadata.name}`, { gracePeriodSeconds: graceS }),
  );
  await Promise.all(pods);
  return pods.length;
}

export async function deleteSecret({ api, namespace, name, hasSecret }: ClusterJob): Promise<void> {
  if (hasSecret) await remove(api, `${secretsOf(namespace)}/${name}`, {}, DELETE_SECRET_WITHIN_MS);
}

/** A Job of a claim that is over must not begin after the newer one, whose worker is this one. */
async function deleteOlder({ api, namespace, hasSecret }: ClusterJob, ticket: RunTicket): Promise<void> {
  if (ticket.generation <= 1) return;
  const query = { labelSelector: `${LABEL.flowRunId}=${ticket.flow_run_id}` };
  const { items = [] } = await api.insist<{ items?: readonly JobObject[] }>(
    "GET",
    jobsOf(namespace),
    CREATE_WITHIN_MS,
    {
      query,
    },
  );
  const older = items.filter(({ metadata }) => Number(metadata.labels?.[LABEL.generation]) < ticket.generation);
  await Promise.all(older.map(({ metadata: { name } }) => deleteJob({ api, namespace, name, hasSecret }, 0)));
}

async function create<T extends ClusterObject>({ api, name }: ClusterJob, path: string, body: Json): Promise<T> {
  try {
    return await api.insist<T>("POST", path, CREATE_WITHIN_MS, { body, query: STRICT });
  } catch (error) {
    // The name is used once: an earlier request got through, and only its answer was lost.
    if (error instanceof ClusterError && error.status === 409) return await api.call<T>("GET", `${path}/${name}`);
    throw error;
  }
}

async function remove(api: ClusterApi, path: string, options: Json, withinMs = DELETE_WITHIN_MS): Promise<void> {
  try {
    const body = { apiVersion: "v1", kind: "DeleteOptions", ...options };
    await api.insist("DELETE", path, withinMs, { body });
  } catch (error) {
    if (!(error instanceof ClusterError) || error.status !== 404) throw error;
  }
}

export function podsOf(namespace: string): string {
  return `/api/v1/namespaces/${namespace}/pods`;
}

function jobsOf(namespace: string): string {
  return `/apis/batch/v1/namespaces/${namespace}/jobs`;
}

function secretsOf(namespace: string): string {
  return `/api/v1/namespaces/${namespace}/secrets`;
}
