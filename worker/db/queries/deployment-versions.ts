/** The versions of deployments: kept as they were, never changed. */
import { and, desc, eq, sql } from "drizzle-orm";
import type { DeploymentContent, DeploymentVersion } from "#protocol/deployment-versions";
import type { Deployment } from "#protocol/deployments";
import type { DeploymentId } from "#protocol/ids";
import { type EpochMs, toWireTime } from "#protocol/time";
import { openDb } from "../open.ts";
import { deploymentVersions } from "../schema/deployments.ts";
import type { Page } from "./work-pools.ts";

/** Keeps what a deployment is now, unless its newest version says the same. */
export async function recordVersion(env: Env, deployment: Deployment): Promise<void> {
  const content = JSON.stringify(contentOf(deployment));
  await env.DB.prepare(
    `INSERT INTO deployment_versions (deployment_id, number, content, created)
     SELECT ?1, coalesce(max(number), 0) + 1, ?2, ?3 FROM deployment_versions WHERE deployment_id = ?1
     HAVING ?2 IS NOT
       (SELECT content FROM deployment_versions WHERE deployment_id = ?1 ORDER BY number DESC LIMIT 1)`,
  )
    .bind(deployment.id, content, Date.now())
    .run();
}

export async function listVersions(env: Env, id: DeploymentId, page: Page): Promise<DeploymentVersion[]> {
  const rows = await openDb(env)
    .select()
    .from(deploymentVersions)
    .where(eq(deploymentVersions.deploymentId, id))
    .orderBy(desc(deploymentVersions.number))
    .limit(page.limit)
    .offset(page.offset);
  return rows.map(toVersion);
}

export async function versionOf(env: Env, id: DeploymentId, number: number): Promise<DeploymentVersion | null> {
  const [row] = await openDb(env)
    .select()
    .from(deploymentVersions)
    .where(and(eq(deploymentVersions.deploymentId, id), eq(deploymentVersions.number, number)));
  return row ? toVersion(row) : null;
}

/** The number of a deployment's newest version, as a column beside others of the deployment. */
export function newestVersion(deploymentId: unknown) {
  return sql<number | null>`(SELECT max(${deploymentVersions.number}) FROM ${deploymentVersions}
    WHERE ${deploymentVersions.deploymentId} = ${deploymentId})`;
}

function contentOf(deployment: Deployment): DeploymentContent {
  return {
    details: {
      version: deployment.version,
      description: deployment.description,
      concurrency_limit: deployment.concurrency_limit,
      concurrency_options: deployment.concurrency_options,
      job_variables: deployment.job_variables,
      parameters: deployment.parameters,
      labels: deployment.labels,
      parameter_openapi_schema: deployment.parameter_openapi_schema,
      path: deployment.path,
      pull_steps: deployment.pull_steps,
      entrypoint: deployment.entrypoint,
      storage_document_id: deployment.storage_document_id,
      infrastructure_document_id: deployment.infrastructure_document_id,
      enforce_parameter_schema: deployment.enforce_parameter_schema,
    },
    tags: deployment.tags,
    work_pool_name: deployment.work_pool_name,
    work_queue_name: deployment.work_queue_name,
  };
}

function toVersion(row: typeof deploymentVersions.$inferSelect): DeploymentVersion {
  return {
    deployment_id: row.deploymentId as DeploymentId,
    number: row.number,
    created: toWireTime(row.created as EpochMs),
    content: row.content,
  };
}
