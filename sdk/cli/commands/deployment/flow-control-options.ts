/** What `sluice deployment flow-control` may be told, and what it makes of what the deployment has. */
import { CONCURRENCY_STRATEGIES, type FlowControl, ON_LOST } from "../../../protocol/flow-control.ts";
import { CliError } from "../../errors.ts";
import { choice, flag, integer, type Parameter, parsed, type Values } from "../../parameters.ts";
import { NONE, readSpan, span, spanOrNone } from "../../span.ts";

export const CONTROL_OPTIONS = {
  key: keyPath("Path of the key, such as parameters.customer. Default: one key for all runs."),
  limit: integer("Runs of each key at the same time.", { min: 1, short: "l" }),
  strategy: choice("What becomes of one more run.", CONCURRENCY_STRATEGIES),
  off: flag("Take the limit by key away."),
  debounce: spanOrNone("For how long a run waits and gives way to a later one of its key; none takes it away."),
  debounceKey: keyPath("Path of the key for --debounce. Default: one key for all runs."),
  throttle: parsed("How many runs of a key begin within a span, such as 5/1m; none takes it away.", readRate, {
    placeholder: "n/span|none",
  }),
  throttleKey: keyPath("Path of the key for --throttle. Default: one key for all runs."),
  onLost: choice("What becomes of a run whose process is lost: it ends Crashed, or is offered again.", ON_LOST),
  timeToLive: span("For how long a run may wait to be started; 0 for ever."),
};

type Said = Values<typeof CONTROL_OPTIONS>;

/** What the deployment is to have, null when nothing was said. Throws {@link CliError} for options that contradict. */
export function controlOf(before: FlowControl, said: Said): FlowControl | null {
  if (Object.values(said).every((option) => option === undefined || option === false)) return null;
  const { onLost, timeToLive } = said;
  return {
    concurrency: concurrencyOf(before.concurrency, said),
    debounce: debounceOf(before.debounce, said),
    throttle: throttleOf(before.throttle, said),
    on_lost: onLost ?? before.on_lost,
    time_to_live_seconds: timeToLive === undefined ? before.time_to_live_seconds : timeToLive / 1_000 || null,
  };
}

function concurrencyOf(before: FlowControl["concurrency"], said: Said): FlowControl["concurrency"] {
  const { key, limit, strategy, off } = said;
  const more = (["key", "limit", "strategy"] as const).find((name) => said[name] !== undefined);
  if (off && more) {
    throw new CliError(`--off takes the limit by key away, and --${more} sets it.`, { fix: "Give one of them." });
  }
  if (off) return null;
  if (!more) return before;
  return {
    key: keyOr(before, key),
    limit: limit ?? before?.limit ?? 1,
    strategy: strategy ?? before?.strategy ?? "queue",
  };
}

function debounceOf(before: FlowControl["debounce"], said: Said): FlowControl["debounce"] {
  const { debounce, debounceKey } = said;
  const seconds = typeof debounce === "number" ? debounce / 1_000 : before?.seconds;
  if (debounce !== NONE && seconds !== undefined) return { key: keyOr(before, debounceKey), seconds };
  if (debounceKey !== undefined) throw withoutIt("debounce", "5s");
  return null;
}

function throttleOf(before: FlowControl["throttle"], said: Said): FlowControl["throttle"] {
  const { throttle, throttleKey } = said;
  const rate = typeof throttle === "object" ? throttle : before;
  if (throttle !== NONE && rate) {
    return { key: keyOr(before, throttleKey), limit: rate.limit, seconds: rate.seconds };
  }
  if (throttleKey !== undefined) throw withoutIt("throttle", "5/1m");
  return null;
}

function withoutIt(option: string, example: string): CliError {
  return new CliError(`--${option}-key says by what runs are held back, and nothing holds them back.`, {
    fix: `Give it together with --${option} ${example}.`,
  });
}

function keyPath(description: string): Parameter<string | undefined> {
  return parsed(description, (given) => given, { placeholder: "path|none" });
}

function keyOr(before: { readonly key: string | null } | null, said: string | undefined): string | null {
  if (said === undefined) return before?.key ?? null;
  return said === NONE ? null : said;
}

function readRate(given: string): { readonly limit: number; readonly seconds: number } | typeof NONE {
  if (given === NONE) return NONE;
  const [, count, within] = /^([1-9]\d{0,6})\/(.+)$/.exec(given) ?? [];
  if (count === undefined || within === undefined) throw new Error("neither runs in a span, such as 5/1m, nor none");
  return { limit: Number(count), seconds: readSpan(within) / 1_000 };
}
