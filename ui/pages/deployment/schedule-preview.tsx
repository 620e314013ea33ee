import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useDeferredValue } from "react";
import type { Schedule } from "#protocol/deployments";
import { previewSchedule } from "#protocol/schedule-preview";
import { read } from "../../api/read.ts";
import { Skeleton } from "../../elements/skeleton.tsx";
import { DueTimes } from "./due-times.tsx";

export interface SchedulePreviewProps {
  /** Null while it is not typed yet. */
  readonly schedule: Schedule | null;
  readonly startAt: string | undefined;
  readonly endAt: string | undefined;
}

/** The next ten times of a schedule as it is typed, or what is wrong with it, as the server says. */
export function SchedulePreview({ schedule, startAt, endAt }: SchedulePreviewProps) {
  const body = useDeferredValue({
    schedule: schedule ?? { cron: "" },
    start_at: startAt ?? null,
    end_at: endAt ?? null,
  });
  const { data, error } = useQuery({
    ...read(previewSchedule, { body }),
    enabled: schedule !== null,
    placeholderData: keepPreviousData,
  });
  if (schedule === null) return <p className="quiet">Its next times appear here.</p>;
  if (error) {
    return (
      <p className="field-error" role="status">
        {error.message}
      </p>
    );
  }
  if (!data) return <Skeleton height="14rem" />;
  if (data.times.length === 0) return <p className="field-error">It is never due again.</p>;
  return (
    <div role="status" aria-label="Next times">
      <DueTimes times={data.times.map((at) => ({ key: at, at: Date.parse(at), zone: schedule.timezone || "UTC" }))} />
    </div>
  );
}
