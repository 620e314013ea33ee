/** How the schedules of a changed deployment come out of those it has, as upstream: by their slugs where all have one. */
import type { DeploymentSchedule, DeploymentScheduleUpdate } from "#protocol/deployments";
import { SluiceError } from "#protocol/errors";

export type SchedulePlan =
  /** All are made anew. */
  | { readonly kind: "replace" }
  /** Some are changed, some are made, and the others stay. */
  | {
      readonly kind: "merge";
      readonly changes: readonly { readonly id: string; readonly to: DeploymentScheduleUpdate }[];
      readonly additions: readonly DeploymentScheduleUpdate[];
    };

/** Fails where upstream does: when slugs are missing, are taken, or are replaced twice. */
export function planSchedules(
  known: readonly DeploymentSchedule[],
  wanted: readonly DeploymentScheduleUpdate[],
): SchedulePlan {
  if (known.length === 0 || known.some(({ slug }) => slug === null)) return { kind: "replace" };
  if (wanted.some(({ slug }) => slug == null)) {
    throw refused("Please provide a slug for each schedule in your request to ensure schedules are updated correctly.");
  }
  const bySlug = new Map(known.map((schedule) => [schedule.slug, schedule.id]));
  const replaced = new Set<string>();
  for (const { replaces } of wanted) {
    if (!replaces) continue;
    if (replaced.has(replaces)) {
      throw refused(`Multiple schedules have 'replaces' targeting the same slug: ${replaces}`);
    }
    replaced.add(replaces);
  }
  const changes: { id: string; to: DeploymentScheduleUpdate }[] = [];
  const additions: DeploymentScheduleUpdate[] = [];
  for (const schedule of wanted) {
    const { slug, replaces } = schedule;
    if (replaces && slug && bySlug.has(slug) && !replaced.has(slug)) {
      throw refused(
        `Cannot rename schedule from '${replaces}' to '${slug}': a schedule with slug '${slug}' already exists.`,
      );
    }
    const id = bySlug.get(replaces || (slug ?? ""));
    if (id !== undefined) changes.push({ id, to: schedule });
    else if (schedule.schedule) additions.push(schedule);
    else throw refused("Unable to create new deployment schedules without a schedule configuration.");
  }
  return { kind: "merge", changes, additions };
}

function refused(message: string): SluiceError {
  return new SluiceError("validation", message, {
    fix: "Give each schedule a slug of its own, and name in `replaces` one that the deployment has.",
    issues: [{ loc: ["body", "schedules"], msg: message, type: "value_error" }],
  });
}
