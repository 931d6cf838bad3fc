/** What the tests of the failure suite hand to the report: one JSON line each. */

export interface Finding {
  /** The row of the table of failures, 1 to 23; 0 for what has none. */
  readonly row: number;
  /** What was done to the service, in a few words. */
  readonly failure: string;
  readonly seed?: number;
  /** Whatever was counted: kills, records, faults injected, seconds. */
  readonly figures: Readonly<Record<string, number | string>>;
}

/** A build with one promise taken out, and what gave it away. */
export interface Caught {
  /** What was taken out. */
  readonly build: string;
  readonly evidence: string;
}

export type Outcome =
  | { readonly kind: 'finding'; readonly test: string; readonly finding: Finding }
  | { readonly kind: 'caught'; readonly test: string; readonly caught: Caught };
