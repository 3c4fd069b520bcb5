/** What a bench is asked and what it answers, in Node and from a browser. */
export interface BenchOptions {
  /** Measures in Chromium instead of Node. */
  readonly browser: boolean;
}

export interface Figure {
  readonly name: string;
  readonly value: number;
  /** `x` for a ratio. */
  readonly unit: string;
}
