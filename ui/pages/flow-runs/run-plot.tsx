import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import type { FlowRunFilters } from "#protocol/filters";
import { LIMITS } from "#protocol/limits";
import { type FlowRunDot, readFlowRunDots } from "#protocol/ui-reads";
import { LIVE_MS, read } from "../../api/read.ts";
import { Skeleton } from "../../elements/skeleton.tsx";
import { durationText, exactText } from "../../elements/spans.ts";

const HEIGHT = 180;
const RADIUS = 3.5;

/** Runs as dots: when they started, and how long they took (on a logarithmic scale, as runs differ by magnitudes). */
export function RunPlot({ filters }: { readonly filters: FlowRunFilters }) {
  const navigate = useNavigate();
  const { data } = useQuery({
    ...read(readFlowRunDots, { body: { ...filters, limit: LIMITS.dots } }),
    refetchInterval: LIVE_MS * 2,
    placeholderData: keepPreviousData,
  });
  if (!data) return <Skeleton height={`${HEIGHT + 40}px`} />;
  const { x, y, from, to, longest } = scales(data);
  return (
    <figure className="panel">
      <figcaption className="row spread quiet small">
        <span>Duration, at most {durationText(longest)}</span>
        <span>The last {data.length} of these runs</span>
      </figcaption>
      <svg
        className="plot"
        width="100%"
        height={HEIGHT}
        role="img"
        aria-label={`${data.length} runs by start and duration`}
      >
        {data.map((dot) => (
          // biome-ignore lint/a11y/noStaticElementInteractions: as above.
          <circle
            key={dot.id}
            data-state={dot.state_type}
            cx={`${x(dot)}%`}
            cy={y(dot)}
            r={RADIUS}
            onClick={() => void navigate({ to: "/runs/$runId", params: { runId: dot.id } })}
          >
            <title>{`${dot.state_type.toLowerCase()}, ${durationText(dot.duration)}, ${exactText(Date.parse(dot.timestamp))}`}</title>
          </circle>
        ))}
      </svg>
      {data.length > 0 && (
        <div className="row spread quiet small">
          <span>{exactText(from)}</span>
          <span>{exactText(to)}</span>
        </div>
      )}
    </figure>
  );
}

function scales(dots: readonly FlowRunDot[]) {
  const times = dots.map(({ timestamp }) => Date.parse(timestamp));
  const from = Math.min(...times);
  const to = Math.max(...times);
  const longest = Math.max(0.001, ...dots.map(({ duration }) => duration));
  const top = Math.log1p(longest * 1_000);
  return {
    from,
    to,
    longest,
    x: ({ timestamp }: FlowRunDot) => 1 + (98 * (Date.parse(timestamp) - from)) / Math.max(1, to - from),
    y: ({ duration }: FlowRunDot) => HEIGHT - 6 - ((HEIGHT - 12) * Math.log1p(Math.max(0, duration) * 1_000)) / top,
  };
}
