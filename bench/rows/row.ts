/** One line of the report. */
export interface Row {
  readonly name: string;
  readonly figure: string;
  /** Our figure as a share of the bare substrate's (or a peer's), measured in the same run. */
  readonly ratio: string;
  readonly aim: string;
}

export interface BenchContext {
  /** Multiplies every duration; 1 is a run of about two minutes. */
  readonly budget: number;
}

/** A benchmark makes rows. */
export interface Bench {
  readonly name: string;
  run(context: BenchContext): Promise<Row[]>;
}

export function perSecond(rate: number): string {
  return `${Math.round(rate).toLocaleString("en")}/s`;
}
