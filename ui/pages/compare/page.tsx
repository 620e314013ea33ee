import { useSuspenseQuery } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import { type FlowRun, readFlowRun } from "#protocol/flow-runs";
import { read } from "../../api/read.ts";
import { exactText } from "../../elements/spans.ts";
import { StateBadge } from "../../elements/state-badge.tsx";
import { useTitle } from "../../elements/title.ts";
import { Took } from "../../elements/took.tsx";
import { type Difference, differences } from "./differences.ts";
import { TaskRuns } from "./task-runs.tsx";

/** Two runs side by side: what they were given, how they went, and where they part. */
export function ComparePage() {
  useTitle("Compare");
  const { a, b } = useSearch({ from: "/app/compare" });
  const { data: left } = useSuspenseQuery(read(readFlowRun, { params: { id: a } }));
  const { data: right } = useSuspenseQuery(read(readFlowRun, { params: { id: b } }));
  return (
    <main className="page stack">
      <div>
        <p className="crumb quiet">
          <Link to="/runs">Runs</Link> / compare
        </p>
        <h1>
          {left.name} and {right.name}
        </h1>
      </div>
      {left.flow_id !== right.flow_id && <p className="notice">These are runs of different flows.</p>}
      <Table title="How they went" left={left} right={right}>
        <Row name="State" isDifferent={left.state_name !== right.state_name}>
          {[left, right].map((run) => (
            <StateBadge key={run.id} type={run.state_type} name={run.state_name} />
          ))}
        </Row>
        <Row name="Started">
          {[left, right].map(({ start_time }) => (start_time ? exactText(Date.parse(start_time)) : "–"))}
        </Row>
        <Row name="Took">
          {[left, right].map((run) => (
            <Took key={run.id} from={run.start_time} to={run.end_time} />
          ))}
        </Row>
        <Row name="Attempts" isDifferent={left.run_count !== right.run_count}>
          {[left.run_count, right.run_count]}
        </Row>
        <Row name="Version of the flow" isDifferent={left.flow_version !== right.flow_version}>
          {[left.flow_version ?? "–", right.flow_version ?? "–"]}
        </Row>
      </Table>
      <Values title="Parameters" left={left} right={right} of={(run) => run.parameters} />
      <Values title="Job variables" left={left} right={right} of={(run) => run.job_variables ?? {}} />
      <TaskRuns left={left} right={right} />
    </main>
  );
}

interface Sides {
  readonly left: FlowRun;
  readonly right: FlowRun;
}

function Table({
  title,
  left,
  right,
  children,
}: Sides & { readonly title: string; readonly children: React.ReactNode }) {
  return (
    <section>
      <h2>{title}</h2>
      <div className="table-scroll">
        <table className="fixed-table" style={{ minWidth: "40rem" }}>
          <thead>
            <tr>
              <th scope="col" style={{ width: "14rem" }}>
                <span className="sr-only">What</span>
              </th>
              {[left, right].map((run) => (
                <th key={run.id} scope="col">
                  <Link to="/runs/$runId" params={{ runId: run.id }}>
                    {run.name}
                  </Link>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>{children}</tbody>
        </table>
      </div>
    </section>
  );
}

interface RowProps {
  readonly name: string;
  readonly isDifferent?: boolean;
  readonly children: readonly React.ReactNode[];
}

function Row({ name, isDifferent = false, children: [left, right] }: RowProps) {
  return (
    <tr data-different={isDifferent || undefined}>
      <th scope="row">
        {name}
        {isDifferent && <span className="tag">differs</span>}
      </th>
      <td>{left}</td>
      <td>{right}</td>
    </tr>
  );
}

function Values({
  title,
  left,
  right,
  of,
}: Sides & { readonly title: string; readonly of: (run: FlowRun) => Readonly<Record<string, unknown>> }) {
  const rows = differences(of(left), of(right));
  if (rows.length === 0) return null;
  return (
    <Table title={title} left={left} right={right}>
      {rows.map((row: Difference) => (
        <Row key={row.name} name={row.name} isDifferent={row.isDifferent}>
          {[row.left, row.right].map((text, side) => (
            <code key={side === 0 ? "left" : "right"} title={text}>
              {text}
            </code>
          ))}
        </Row>
      ))}
    </Table>
  );
}
