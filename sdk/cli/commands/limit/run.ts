/** `sluice limit run`: runs a program of any language while holding slots, and gives them back when it ends. */
import { configure } from "../../../flow/configuration.ts";
import { formatDuration } from "../../../flow/duration.ts";
import { TimedOutError } from "../../../flow/errors.ts";
import { concurrency, SlotsLostError } from "../../../flow/limits.ts";
import { ChildProgram, exitCodeOf, PASSED_SIGNALS } from "../../child-program.ts";
import { defineCommand } from "../../command.ts";
import { CliError } from "../../errors.ts";
import { EXIT } from "../../exit-codes.ts";
import { flag, integer, repeated, text, withDefault } from "../../parameters.ts";
import { span } from "../../span.ts";

export const limitRun = defineCommand({
  noun: "limit",
  verb: "run",
  summary: "Run a program while holding slots of concurrency limits.",
  arguments: {
    names: repeated(text("Names of the limits: slots of all of them are taken together.", { placeholder: "name" })),
  },
  options: {
    slots: withDefault(integer("Slots of each limit.", { min: 1, short: "s" }), 1),
    timeout: span("For how long to wait for them; 0 does not wait. Default: as long as it takes."),
    lease: withDefault(span("For how long the slots stay taken when this machine dies, from 1s to 1d."), 30_000),
    priority: withDefault(integer("Place in line: 1 is the most urgent.", { min: 1, max: 1_000 }), 100),
    strict: flag("Fail for a name without a limit, and end the program when its slots are lost."),
    killGrace: withDefault(span("With --strict: for how long the program may end before it is killed."), 10_000),
  },
  after: "command...",
  examples: [
    "sluice limit run nightly-backup -- pg_dump --file backup.sql shop",
    "sluice limit run database printer --slots 2 --timeout 5m --strict -- sh -c 'make report | lp'",
  ],
  async run({ arguments: { names }, options, after, connection }) {
    if (names.length === 0 || after.length === 0) {
      throw new CliError(names.length === 0 ? "No limit is named." : "What to run is not said.", {
        fix: "Write it as: sluice limit run NAME -- command",
      });
    }
    const { slots, timeout, lease, priority, strict, killGrace } = options;
    const restore = configure({ apiUrl: connection.apiUrl, apiKey: connection.apiKey ?? null });
    const waiting = new AbortController();
    let stoppedBy: NodeJS.Signals | null = null;
    let program: ChildProgram | null = null;
    const told = (signal: NodeJS.Signals): void => {
      program?.pass(signal);
      if (program !== null) return;
      stoppedBy ??= signal;
      waiting.abort();
    };
    for (const signal of PASSED_SIGNALS) process.on(signal, told);
    const wanted = { slots, lease, priority, strict, signal: waiting.signal };
    try {
      return await concurrency(
        names,
        { ...wanted, ...(timeout === undefined ? {} : { timeout }) },
        async ({ signal: lost }) => {
          // Told between the last wait and now.
          if (stoppedBy !== null) return exitCodeOf(stoppedBy);
          const started = new ChildProgram(after);
          program = started;
          let ending: Promise<void> | null = null;
          const end = (): void => {
            ending ??= started.end(killGrace);
          };
          if (strict) lost.addEventListener("abort", end);
          if (strict && lost.aborted) end();
          const code = await started.ended;
          await ending;
          return code;
        },
      );
    } catch (error) {
      if (stoppedBy !== null && program === null) return exitCodeOf(stoppedBy);
      throw slotsFault(error, names);
    } finally {
      for (const signal of PASSED_SIGNALS) process.off(signal, told);
      restore();
    }
  },
});

/** What has to do with slots ends with a code of its own, so that scripts can tell it from the program's failure. */
function slotsFault(error: unknown, names: readonly string[]): unknown {
  const all = names.join(", ");
  if (error instanceof TimedOutError) {
    return new CliError(`No slot of ${all} was had within ${formatDuration(error.timeoutMs)}.`, {
      fix: `See who has them: sluice limit holders ${names[0]} — or wait longer with --timeout.`,
      code: "no_slots",
      exitCode: EXIT.noSlots,
      cause: error,
    });
  }
  if (error instanceof SlotsLostError) {
    return new CliError(`The slots of ${all} were lost while the program ran, and it was ended.`, {
      fix: "Run it again. If nobody has reset the limit, give it a longer --lease.",
      code: "slots_lost",
      exitCode: EXIT.noSlots,
      cause: error,
    });
  }
  return error;
}
