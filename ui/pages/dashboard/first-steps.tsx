import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Dashboard } from "#protocol/dashboard";
import { Commands } from "../../elements/commands.tsx";
import { onThisServer } from "../../elements/on-this-server.ts";
import { StateGlyph } from "../../elements/state-glyph.tsx";

const POOL = "work-pool create local --type process";
const WORKER = "worker start --pool local";
/** Neither needs a file: what a project has is not known here. */
const HELLO = `node --input-type=module -e 'import { flow } from "sluice"; await flow({ name: "hello" }, async () => "Hello")()'`;

/** For a server on which nothing has run yet. The dashboard reads again by itself, and takes this away. */
export function FirstSteps({ pools }: { readonly pools: Dashboard["work_pools"] }) {
  const hasWorker = pools.some(({ workers_online }) => workers_online > 0);
  return (
    <section className="panel stack">
      <h2>Nothing has run here yet</h2>
      <p>Three commands make something appear:</p>
      <ol className="lines">
        <Step isDone={false}>run a flow, which is shown here</Step>
        <Step isDone={pools.length > 0}>make a work pool</Step>
        <Step isDone={hasWorker}>
          start a worker, which runs <Link to="/deployments">deployments</Link> on your machine
        </Step>
      </ol>
      <h3>In a project that has the package</h3>
      <Commands lines={[HELLO, `npx sluice ${POOL}`, `npx sluice ${WORKER}`].map(onThisServer)} />
      <h3>In a clone of the repository</h3>
      <Commands
        lines={["node examples/hello.ts", `npm run sluice -- ${POOL}`, `npm run sluice -- ${WORKER}`].map(onThisServer)}
      />
      <p className="quiet" role="status">
        Waiting for the first run …
      </p>
    </section>
  );
}

function Step({ isDone, children }: { readonly isDone: boolean; readonly children: ReactNode }) {
  return (
    <li>
      <span>
        <StateGlyph state={isDone ? "COMPLETED" : "SCHEDULED"} /> {children}
      </span>
      <span className="quiet">{isDone ? "done" : ""}</span>
    </li>
  );
}

/** What is missing for deployments to run: a pool, or a worker of any pool. Nothing while there is one. */
export function WorkerSteps({ pools }: { readonly pools: Dashboard["work_pools"] }) {
  const [first] = pools;
  if (pools.some(({ status }) => status !== "NOT_READY")) return null;
  const worker = `sluice worker start --pool ${first?.name ?? "local"}`;
  return <Commands lines={(first ? [worker] : [`sluice ${POOL}`, worker]).map(onThisServer)} />;
}
