import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Dashboard } from "#protocol/dashboard";
import { durationText } from "../../elements/spans.ts";

const PERCENT = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 1 });
const COUNT = new Intl.NumberFormat();

/** The few numbers that tell whether all is well. */
export function Figures({ data: { totals, now, since, until } }: { readonly data: Dashboard }) {
  const failed = (totals.by_state["FAILED"] ?? 0) + (totals.by_state["CRASHED"] ?? 0);
  const span = { since, until };
  return (
    <dl className="figures">
      <Figure title="Runs">
        <Link to="/runs" search={span}>
          {COUNT.format(totals.runs)}
        </Link>
      </Figure>
      <Figure title="Succeeded">{totals.success_rate === null ? "–" : PERCENT.format(totals.success_rate)}</Figure>
      <Figure title="Failed" tone={failed > 0 ? "danger" : undefined}>
        <Link to="/runs" search={{ ...span, state: ["FAILED", "CRASHED"] }}>
          {COUNT.format(failed)}
        </Link>
      </Figure>
      <Figure title="Late by, on average">
        {totals.average_lateness_seconds === null ? "–" : durationText(totals.average_lateness_seconds)}
      </Figure>
      <Figure title="Running now">
        <Link to="/runs" search={{ state: ["RUNNING"] }}>
          {COUNT.format(now.running)}
        </Link>
      </Figure>
      <Figure title="Late now" tone={now.late > 0 ? "warning" : undefined}>
        <Link to="/runs" search={{ state: ["LATE"] }}>
          {COUNT.format(now.late)}
        </Link>
      </Figure>
    </dl>
  );
}

interface FigureProps {
  readonly title: string;
  readonly tone?: "danger" | "warning" | undefined;
  readonly children: ReactNode;
}

function Figure({ title, tone, children }: FigureProps) {
  return (
    <div className="figure" data-tone={tone}>
      <dt>{title}</dt>
      <dd>{children}</dd>
    </div>
  );
}
