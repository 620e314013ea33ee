import { Link } from "@tanstack/react-router";
import { Commands } from "../../elements/commands.tsx";
import { onThisServer } from "../../elements/on-this-server.ts";

/** For a server on which nothing has happened yet. The dashboard reads again by itself, and takes this away. */
export function FirstSteps() {
  return (
    <section className="panel stack">
      <h2>Nothing has run here yet</h2>
      <p>
        Type these in the project's folder. The first one runs a flow and shows it here; the other two make a work pool
        and start a worker, which runs <Link to="/deployments">deployments</Link> on your machine.
      </p>
      <Commands
        lines={[
          "node examples/hello.ts",
          "npm run sluice -- work-pool create local --type process",
          "npm run sluice -- worker start --pool local",
        ].map(onThisServer)}
      />
      <p className="quiet" role="status">
        Waiting for the first run …
      </p>
    </section>
  );
}
