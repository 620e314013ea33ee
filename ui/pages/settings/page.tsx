import { useSuspenseQuery } from "@tanstack/react-query";
import { readSettings } from "#protocol/admin";
import { read } from "../../api/read.ts";
import { useSession } from "../../api/session.ts";
import { DeadLetters } from "../../components/dead-letters.tsx";
import { useTitle } from "../../elements/title.ts";
import { Health } from "./health.tsx";
import { Keys } from "./keys.tsx";

/** The server's configuration, and the keys that are valid on it. */
export function SettingsPage() {
  useTitle("Settings");
  const { data } = useSuspenseQuery(read(readSettings, {}));
  const session = useSession();
  const { server, api, runs, retention } = data;
  const days = (count: number | null): string => (count === null ? "for ever" : `${count} days`);
  return (
    <main className="page stack">
      <h1>Settings</h1>
      <div className="columns">
        <section className="panel">
          <h2>Server</h2>
          <dl className="details">
            <dt>Version</dt>
            <dd>{server.version}</dd>
            <dt>Mode</dt>
            <dd>{server.mode}</dd>
            <dt>Schema</dt>
            <dd className="mono">{server.schema}</dd>
            <dt>API</dt>
            <dd className="mono">{location.origin}/api</dd>
            <dt>Keys</dt>
            <dd>{api.requires_key ? "needed" : "not needed: everybody on this machine is admin"}</dd>
            <dt>Shards</dt>
            <dd>{runs.shards}</dd>
            <dt>Heartbeat</dt>
            <dd>every {runs.heartbeat_seconds} s</dd>
          </dl>
        </section>
        <Health />
        <section className="panel">
          <h2>What is kept</h2>
          <dl className="details">
            <dt>Runs</dt>
            <dd>{days(retention.run_days)}</dd>
            <dt>Events</dt>
            <dd>{days(retention.event_days)}</dd>
            <dt>Workers that are gone</dt>
            <dd>{days(retention.worker_days)}</dd>
            <dt>Messages that were given up</dt>
            <dd>{days(retention.dead_letter_days)}</dd>
            <dt>Log of a run, at most</dt>
            <dd>{Math.round(api.log_bytes_per_run / 1024 / 1024)} MB</dd>
          </dl>
        </section>
      </div>
      <DeadLetters
        title="Messages that were given up"
        note="Send them again when the cause is mended. Dispatches offer runs to work pools, pushes go to http pools."
      />
      {session?.role === "admin" && <Keys />}
    </main>
  );
}
