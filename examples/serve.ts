/**
 * One process that serves a flow by a cron expression, an interval, a recurrence rule and a single moment.
 *
 * `SLUICE_API_URL=http://127.0.0.1:4200/api node examples/serve.ts`; it ends, and its schedules rest, with Ctrl+C.
 */
import { flow, logger, serve } from "sluice";

export const report = flow(
  { name: "report", flowRunName: "report for {region}" },
  async ({ region = "eu" }: { readonly region?: string }) => {
    logger().info(`The report for ${region} is done.`);
  },
);

if (import.meta.main) {
  await serve(
    [
      report.toDeployment({ name: "every-morning", cron: "0 6 * * 1-5", timezone: "Europe/London" }),
      report.toDeployment({ name: "often", interval: "15m", parameters: { region: "us" } }),
      report.toDeployment({ name: "last-friday", rrule: "FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=17" }),
      report.toDeployment({
        name: "once-and-hourly",
        at: "2030-01-01T00:00:00Z",
        schedules: [{ interval: "1h", overlap: "SKIP", jitter: "30s" }],
      }),
    ],
    { limit: 2 },
  );
}
