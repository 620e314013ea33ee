import { HTTP_POOL_TYPE } from "#protocol/push";
import type { WorkPool } from "#protocol/work-pools";
import { Commands } from "../../elements/commands.tsx";
import { onThisServer } from "../../elements/on-this-server.ts";

/** How a worker of the pool is started: in sight while none is connected, folded up while some are. */
export function StartWorker({ pool: { name, type, status } }: { readonly pool: WorkPool }) {
  if (type === HTTP_POOL_TYPE) return null;
  const commands = <Commands lines={[onThisServer(`sluice worker start --pool ${name}`)]} />;
  if (status === "NOT_READY") {
    return (
      <section className="notice stack">
        <p>No worker is connected, so runs wait. Start one where the code is:</p>
        {commands}
      </section>
    );
  }
  return (
    <details className="panel">
      <summary>How to start a worker</summary>
      {commands}
    </details>
  );
}
