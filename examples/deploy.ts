/**
 * Deploys a flow to a work pool: in a container image, with job variables, a schedule and a limit of runs at a time.
 *
 * `sluice work-pool create containers --type docker`, then
 * `SLUICE_API_URL=http://127.0.0.1:4200/api node examples/deploy.ts containers ghcr.io/me/flows:1`.
 */
import { flow, logger } from "sluice";

export const nightly = flow({ name: "nightly" }, async ({ region = "eu" }: { readonly region?: string }) => {
  logger().info(`The night in ${region} is over.`);
  return region;
});

/** Answers the id of the deployment. Done again, it changes the deployment to what is said here. */
export function deployNightly(workPool: string, image: string) {
  return nightly.deploy({
    name: "in-a-container",
    workPool,
    image,
    entrypoint: "examples/deploy.ts:nightly",
    jobVariables: { env: { LOG_LEVEL: "debug" }, mem_limit: "512m" },
    concurrencyLimit: { limit: 1, collisionStrategy: "CANCEL_NEW" },
    schedules: [{ cron: "0 3 * * *", timezone: "Europe/London" }],
    parameters: { region: "us" },
    tags: ["night"],
  });
}

if (import.meta.main) {
  const [, , workPool = "containers", image = "sluice-flows:latest"] = process.argv;
  console.log(await deployNightly(workPool, image));
}
