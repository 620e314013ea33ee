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

/** A benchmark makes rows, each as soon as it is known: one that takes long shows where it is. */
export interface Bench {
  readonly name: string;
  /** True for one that needs much time or a network: it is left out unless it is asked for. */
  readonly isOnlyByName?: true;
  /** A text where the rows have columns of their own. */
  run(context: BenchContext): AsyncIterable<Row | string>;
}

export function perSecond(rate: number): string {
  return `${Math.round(rate).toLocaleString("en")}/s`;
}
