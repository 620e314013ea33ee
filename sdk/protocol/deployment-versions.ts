/**
 * Versions of deployments: each change of what a deployment runs, and where, is kept as it was. Beyond Prefect's API; a
 * run names the version it was made from in its label {@link VERSION_LABEL}.
 */
import { z } from "zod";
import { Deployment, DeploymentDetails } from "./deployments.ts";
import { endpoint } from "./endpoint.ts";
import { DeploymentId } from "./ids.ts";
import { LIMITS } from "./limits.ts";
import { WireTime } from "./time.ts";

/** The label of a run that says which version of its deployment it was made from. */
export const VERSION_LABEL = "sluice.deployment.version";

/** What a version keeps: all that makes a run, and neither schedules nor whether the deployment was paused. */
export const DeploymentContent = z.object({
  details: DeploymentDetails.omit({ created_by: true, updated_by: true }),
  tags: z.array(z.string()),
  /** Null for a deployment that no work pool runs. */
  work_pool_name: z.string().nullable(),
  work_queue_name: z.string().nullable(),
});
export type DeploymentContent = z.infer<typeof DeploymentContent>;

/** What a deployment was from `created` until the next version. The one with the highest number is what it is now. */
export const DeploymentVersion = z.object({
  deployment_id: DeploymentId,
  /** Counted from 1. */
  number: z.int(),
  created: WireTime,
  content: DeploymentContent,
});
export type DeploymentVersion = z.infer<typeof DeploymentVersion>;

const byNumber = z.object({ id: DeploymentId, number: z.coerce.number().int().min(1) });

/**
 * All that is kept of what the deployment was; 200 to a page unless less is asked for. 404 when there is no such
 * deployment.
 */
export const readDeploymentVersions = endpoint({
  id: "read_deployment_versions",
  method: "GET",
  path: "/deployments/:id/versions",
  tag: "Deployments",
  role: "viewer",
  summary: "List the versions of a deployment, the newest first.",
  params: z.object({ id: DeploymentId }),
  query: z.object({
    limit: z.coerce.number().int().min(0).max(LIMITS.pageRows).optional(),
    offset: z.coerce.number().int().min(0).optional(),
  }),
  returns: z.array(DeploymentVersion),
});
/** What the deployment was then. 404 for an unknown deployment or number. */
export const readDeploymentVersion = endpoint({
  id: "read_deployment_version",
  method: "GET",
  path: "/deployments/:id/versions/:number",
  tag: "Deployments",
  role: "viewer",
  summary: "Read one version of a deployment.",
  params: byNumber,
  returns: DeploymentVersion,
});
/**
 * What it restores becomes a new version, unless the deployment is so already. Schedules, pausing and the concurrency
 * limit stay as they are. 404 for an unknown deployment or number, and where its work pool is gone.
 */
export const restoreDeploymentVersion = endpoint({
  id: "restore_deployment_version",
  method: "POST",
  path: "/deployments/:id/versions/:number/restore",
  tag: "Deployments",
  summary: "Roll a deployment back to a version; what it was meanwhile stays a version too.",
  params: byNumber,
  returns: Deployment,
});
