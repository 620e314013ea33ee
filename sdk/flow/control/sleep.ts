/** Waits that a continued run does not begin anew. */
import { type EpochMs, ms, toWireTime } from "../../protocol/time.ts";
import { sleep as wait } from "../clock.ts";
import { clock, resultStorage } from "../configuration.ts";
import { type Duration, parseDuration } from "../duration.ts";
import { currentScope } from "../engine/scope.ts";

const NEVER = new AbortController().signal;

/**
 * Waits. Where the run's results are persisted, the moment at which the wait is over is kept with them: a run that is
 * continued after a crash or a suspension waits for what is left, or not at all. `key` names the wait within the run;
 * default: its number. Rejects with the signal's reason when the run is stopped.
 */
export async function sleep(span: Duration, options: { readonly key?: string } = {}): Promise<void> {
  const spanMs = parseDuration(span, "sleep()");
  const scope = currentScope();
  const memory = scope?.execution.memory ?? null;
  if (scope === null || memory === null || !memory.persists) {
    return await wait(
      scope?.execution.clock ?? clock(),
      spanMs,
      scope?.task?.signal ?? scope?.execution.signal ?? NEVER,
    );
  }
  const { execution, task } = scope;
  const storage = execution.resultStorage ?? resultStorage();
  const name = (options.key ?? String(memory.occurrence("sleep"))).replaceAll(/[^\w.-]/g, "_");
  const key = `runs/${memory.flowRunId}/sleep-${name}`;
  const kept = memory.isContinued ? await storage.read(key) : null;
  const now = execution.clock.now();
  const until = (kept === null ? now + spanMs : Number(new TextDecoder().decode(kept))) as EpochMs;
  if (kept === null) await storage.write(key, new TextEncoder().encode(String(until)));
  else
    execution.log(
      "info",
      `The wait "${name}" ${until > now ? `goes on until ${toWireTime(until)}` : "is over"}.`,
      task,
    );
  const { budget } = execution;
  const signal = task?.signal ?? execution.signal;
  if (budget !== null && !budget.lastsUntil(until)) return await budget.park(task?.taskRunId ?? null, until, signal);
  await wait(execution.clock, ms(Math.max(0, until - now)), signal);
}
