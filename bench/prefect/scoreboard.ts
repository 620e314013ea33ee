/** Collects samples of every contender and prints one table: medians, the ratio to the better peer, and the aim. */
import { percentiles } from "../load.ts";
import type { ContenderName } from "./contenders.ts";

export interface Measure {
  readonly name: string;
  /** "/s", "ms" …, written behind the figures. */
  readonly unit: string;
  readonly better: "higher" | "lower";
  readonly aim: Aim;
}

/** So many times the better peer, at most such a figure, or nothing. */
export type Aim = { readonly times: number } | { readonly atMost: number } | null;

export class Scoreboard {
  readonly #samples = new Map<Measure, Map<ContenderName, number[]>>();
  readonly #contenders: readonly ContenderName[];

  constructor(contenders: readonly ContenderName[]) {
    this.#contenders = contenders;
  }

  add(measure: Measure, contender: ContenderName, value: number): void {
    const of = this.#samples.get(measure) ?? new Map<ContenderName, number[]>();
    this.#samples.set(measure, of);
    of.set(contender, [...(of.get(contender) ?? []), value]);
  }

  toString(): string {
    const lines = [["", ...this.#contenders, "ratio", "aim", "reached"]];
    for (const [measure, samples] of this.#samples) {
      const figures = this.#contenders.map((name) => median(samples.get(name)));
      const ratio = ratioOf(measure, figures);
      lines.push([
        measure.name,
        ...figures.map((figure) => written(figure, measure.unit)),
        ratio === null ? "–" : `${ratio.toPrecision(2)} ×`,
        aimText(measure),
        verdict(measure, figures[0] ?? null, ratio),
      ]);
    }
    const widths = lines[0]?.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0))) ?? [];
    return lines.map((line) => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")).join("\n");
  }
}

function median(values: readonly number[] | undefined): number | null {
  const known = values?.filter((value) => Number.isFinite(value)) ?? [];
  return known.length === 0 ? null : percentiles(known).p50Ms;
}

/** Of ours, the first, to the better of the others: above 1 is better for us. */
function ratioOf({ better }: Measure, [ours, ...peers]: readonly (number | null)[]): number | null {
  const known = peers.filter((figure) => figure !== null);
  if (ours == null || known.length === 0) return null;
  const ratio = better === "higher" ? ours / Math.max(...known) : Math.min(...known) / ours;
  return Number.isFinite(ratio) ? ratio : null;
}

function written(figure: number | null, unit: string): string {
  if (figure === null) return "none";
  const digits = figure !== 0 && Math.abs(figure) < 10 ? 1 : 0;
  const number = figure.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return unit === "" ? number : `${number} ${unit}`;
}

function aimText({ aim, unit }: Measure): string {
  if (aim === null) return "–";
  return "times" in aim ? `${aim.times} ×` : `≤ ${written(aim.atMost, unit)}`;
}

function verdict({ aim }: Measure, ours: number | null, ratio: number | null): string {
  if (aim === null) return "";
  if ("atMost" in aim) return ours !== null && ours <= aim.atMost ? "yes" : "no";
  return ratio !== null && ratio >= aim.times ? "yes" : "no";
}
