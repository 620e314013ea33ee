/**
 * Holds our due times against those of Prefect's server: random schedules around every daylight saving change of five
 * zones in ten years. The zones differ in what they change: by an hour or half of one, at two o'clock or at midnight.
 */
import { describe, it } from "vitest";
import type { Schedule } from "#protocol/deployments";
import { type EpochMs, toWireTime } from "#protocol/time";
import { dueTimes, scheduleFault } from "#schedules/due-times";
import { zoneNamed } from "#schedules/zone";
import { runPython } from "./python.ts";

const ZONES = ["America/New_York", "Europe/London", "Australia/Lord_Howe", "America/Santiago", "America/Havana"];
const FROM = Date.UTC(2018, 0, 1);
const UNTIL = Date.UTC(2028, 0, 1);
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Schedules of each kind around each change. */
const EACH = Number(process.env["SLUICE_SCHEDULES_EACH"] ?? 8);
const SEED = Number(process.env["SLUICE_SEED"] ?? 20_261_121);
/** Times that are compared. Prefect is asked for more: it counts those before the start, too. */
const COMPARED = 8;
const ASKED = 24;

interface Question {
  readonly schedule: Schedule;
  readonly start: string;
  readonly count: number;
}

describe("due times", () => {
  it.for(["cron", "interval", "rrule"] as const)(
    "of %s schedules are Prefect's around every clock change",
    async (kind, { expect }) => {
      const random = generator(SEED);
      const questions: Question[] = [];
      for (const timezone of ZONES) {
        for (const change of changes(timezone)) {
          for (let index = 0; index < EACH; index += 1) {
            const start = change + Math.floor((random() * 6 - 4) * DAY_MS);
            const schedule = MAKERS[kind](random, timezone, change);
            questions.push({ schedule, start: toWireTime(start as EpochMs), count: ASKED });
          }
        }
      }
      expect(questions.length).toBeGreaterThan(99 * EACH);
      const answers = (await runPython("./due_times.py", questions)) as (number[] | null)[];
      // Prefect fails to schedule some crons whose days of the month and weekdays never meet.
      expect(answers.filter((answer) => answer === null).length).toBeLessThan(questions.length / 10);
      const wrong = questions.flatMap((question, index) => {
        if (answers[index] === null) return [];
        const start = Date.parse(question.start);
        const all = take(question.schedule, start as EpochMs, ASKED);
        const ours = (kind === "interval" ? onceByTheClock(all, question.schedule) : all).slice(0, COMPARED);
        const theirs = (answers[index] ?? [])
          .map((at) => at / 1000)
          .filter((at) => at >= start)
          .slice(0, COMPARED);
        if (all.some((at, place) => place > 0 && at <= (all[place - 1] ?? 0)))
          return [{ question, ours: all.map(iso), theirs: [] }];
        return same(ours, theirs) ? [] : [{ question, ours: ours.map(iso), theirs: theirs.map(iso) }];
      });
      expect(wrong.length, `of ${questions.length}: ${JSON.stringify(wrong.slice(0, 3), null, 1)}`).toBe(0);
    },
  );

  it("are refused where Prefect refuses them, and taken where it takes them", async ({ expect }) => {
    const questions = [...crons(generator(SEED)), ...RULES.map((rrule) => ({ rrule }))].map((schedule) => ({
      schedule,
      start: "2026-01-01T00:00:00Z",
      count: 0,
    }));
    const answers = (await runPython("./due_times.py", questions)) as (number[] | null)[];
    const wrong = questions.filter(
      ({ schedule }, index) => (answers[index] === null) !== (scheduleFault(schedule) !== null),
    );
    expect(wrong.map(({ schedule }) => schedule)).toEqual([]);
  });
});

const MAKERS = {
  cron: (random: Random, timezone: string): Schedule => ({ cron: cronText(random), timezone, day_or: random() < 0.7 }),
  interval: (random: Random, timezone: string, change: number): Schedule => ({
    interval: pick(random, [60, 900, 3600, 5400, 43_200, 86_400, 86_400, 90_000, 172_800, 604_800, 1.5, 100_000]),
    anchor_date: toWireTime((change + Math.floor((random() * 40 - 25) * DAY_MS)) as EpochMs),
    timezone,
  }),
  rrule: (random: Random, timezone: string, change: number): Schedule => ({
    rrule: ruleText(random, change - Math.floor(random() * 30) * DAY_MS),
    timezone,
  }),
};

function cronText(random: Random): string {
  const minute = pick(random, ["*", "0", "30", "*/15", "*/7", "5,35", "10-40/10", "59"]);
  const hour = pick(random, ["*", "*", "0", "1", "2", "1-3", "*/2", "0,2,4", "23", "22-2"]);
  const day = pick(random, ["*", "*", "*", "1", "*/2", "l", "10-31", "1-31", "15,l"]);
  const month = pick(random, ["*", "*", "*", "mar-apr", "10,11", "*/2", "sep-feb"]);
  const weekday = pick(random, ["*", "*", "*", "sun", "0-6", "mon-fri", "7", "sun#1", "5#2,1#3", "l0", "sat-mon"]);
  return `${minute} ${hour} ${day} ${month} ${weekday}${random() < 0.15 ? " 0,30" : ""}`;
}

function ruleText(random: Random, startsAt: number): string {
  const [frequency = "DAILY", ...more] = pick(random, [
    ["DAILY"],
    ["DAILY", "BYHOUR=1,2,3", "BYMINUTE=0,30"],
    ["DAILY", "INTERVAL=2"],
    ["HOURLY"],
    ["HOURLY", "INTERVAL=5", "BYMINUTE=15,45"],
    ["MINUTELY", "INTERVAL=20"],
    ["MINUTELY", "INTERVAL=90"],
    ["WEEKLY", "BYDAY=SU,MO"],
    ["WEEKLY", "INTERVAL=2", "WKST=SU", "BYDAY=SU,WE"],
    ["MONTHLY", "BYDAY=-1SU,2SU"],
    ["MONTHLY", "BYDAY=MO,TU,WE,TH,FR", "BYSETPOS=-1"],
    ["MONTHLY", "BYMONTHDAY=-1,15"],
    ["YEARLY", "BYWEEKNO=10,13,44", "BYDAY=SU"],
    ["YEARLY", "BYYEARDAY=-1,70,90,300"],
    ["DAILY", "COUNT=20"],
    ["HOURLY", "COUNT=100"],
  ]);
  const start = stamp(startsAt - (startsAt % DAY_MS) + Math.floor(random() * 8) * 1_800_000);
  const until = random() < 0.15 ? [`UNTIL=${stamp(startsAt + 34 * DAY_MS)}`] : [];
  const rule = [`FREQ=${frequency}`, ...more, ...(more.some((one) => one.startsWith("COUNT")) ? [] : until)].join(";");
  const lines = [`DTSTART:${start}`, `RRULE:${rule}`];
  if (random() < 0.2) lines.push(`EXDATE:${stamp(startsAt + 31 * DAY_MS)}`, "EXRULE:FREQ=WEEKLY;BYDAY=TU");
  if (random() < 0.2) lines.push(`RDATE:${stamp(startsAt + 30 * DAY_MS + HOUR_MS)},${stamp(startsAt + 31 * DAY_MS)}`);
  return lines.join("\n");
}

/** Right and wrong expressions alike. */
function crons(random: Random): Schedule[] {
  const odd = ["@daily", "@HOURLY", "@reboot", "* * * *", "60 * * * *", "* 24 * * *", "0 0 0 * *", "0 0 32 * *"];
  odd.push("0 0 * 13 *", "0 0 * * 8", "0 0 * * 7 0", "0 0 0 * * 0", "h * * * *", "r * * * *", "*/0 * * * *");
  odd.push("0 0 ? * mon", "? * * * *", "0 0 l * *", "0 0 * * l", "0 0 * * l5", "0 0 * * 5#6", "0 0 * * 5#1,3");
  odd.push("5-1 * * * *", "0 0 * jan-jan *", "1,2,,3 * * * *", "a * * * *", "0 0 1 1 * 0 2030", "-1 * * * *");
  odd.push("0 0 * * mon-fri#2", "0 0 * * *#2", "*,5 * * * *", "0 0 1-l * *", "1/2/3 * * * *", "*/15/2 * * * *", "");
  return [...odd, ...Array.from({ length: 200 }, () => cronText(random))].map((cron) => ({ cron }));
}

const RULES = [
  "FREQ=DAILY",
  "RRULE:FREQ=DAILY;COUNT=3",
  "FREQ=SOMETIMES",
  "COUNT=3",
  "FREQ=DAILY;NONSENSE=1",
  "FREQ=DAILY;UNTIL=20300101T000000Z",
  "DTSTART:20200101T000000Z\nRRULE:FREQ=DAILY;UNTIL=20300101T000000Z",
  "DTSTART:20200101T000000Z\nRRULE:FREQ=DAILY;UNTIL=20300101T000000",
  "DTSTART;TZID=America/New_York:20200101T000000\nRRULE:FREQ=DAILY;UNTIL=20300101T000000Z",
  "FREQ=DAILY;UNTIL=20300101T000000",
  "FREQ=DAILY;BYDAY=MO,XX",
  "FREQ=MONTHLY;BYDAY=+1MO,-2FR",
  "FREQ=DAILY;BYSETPOS=0",
  "DTSTART:20200101T000000\nDTSTAMP:20200101T000000\nRRULE:FREQ=DAILY",
  "RDATE;VALUE=DATE:20200101",
  "RDATE:20200101T000000",
  "EXDATE;VALUE=DATE:20200101\nFREQ=DAILY",
  "nonsense",
  "FREQ=DAILY;INTERVAL=x",
];

type Random = () => number;

/** The instants at which the clock of a zone is set. */
function changes(timezone: string): number[] {
  const zone = zoneNamed(timezone);
  const found: number[] = [];
  for (let at = FROM; at < UNTIL; at += HOUR_MS / 2) {
    if (zone?.offsetAt(at) !== zone?.offsetAt(at + HOUR_MS / 2)) found.push(at + HOUR_MS / 2);
  }
  return found;
}

function take(schedule: Schedule, start: EpochMs, count: number): number[] {
  const taken: number[] = [];
  for (const at of dueTimes(schedule, start)) {
    taken.push(at);
    if (taken.length === count) break;
  }
  return taken;
}

/**
 * Without what the clock shows a second time: before Python 3.13, which compares times of one zone by the clock, one
 * call of Prefect's leaves those out; a call that starts between the two has them, and its documents promise them.
 */
function onceByTheClock(times: readonly number[], { timezone }: Schedule): number[] {
  const zone = zoneNamed(timezone ?? "UTC");
  const shown = new Set<number>();
  return times.filter((at) => {
    const wall = Math.round((zone?.wallAt(at) ?? at) * 1000);
    return !shown.has(wall) && shown.add(wall);
  });
}

/** To the microsecond. */
function same(ours: readonly number[], theirs: readonly number[]): boolean {
  return ours.length === theirs.length && ours.every((at, index) => Math.abs(at - (theirs[index] ?? 0)) < 0.001);
}

function iso(at: number): string {
  return new Date(at).toISOString();
}

function stamp(at: number): string {
  return iso(at).slice(0, 19).replace(/[-:]/g, "");
}

function pick<T>(random: Random, from: readonly T[]): T {
  return from[Math.floor(random() * from.length)] as T;
}

/** Mulberry32. */
function generator(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
