/**
 * What a failure test found, for docs/failure-report.md: one JSON line per test in the file that
 * FAILURE_RESULTS names. Without that variable the figures are only a diagnostic of the test.
 */
import { appendFileSync } from 'node:fs';
import type { TestContext } from 'node:test';

export interface Finding {
  /** The row of the table of failures, 1 to 23; 0 for what has none. */
  readonly row: number;
  /** What was done to the service, in a few words. */
  readonly failure: string;
  readonly seed?: number;
  /** Whatever was counted: kills, records, faults injected, seconds. */
  readonly figures: Readonly<Record<string, number | string>>;
}

/** Call it last, when everything was asserted. */
export function report(context: TestContext, finding: Finding): void {
  const figures = Object.entries(finding.figures).map(([name, value]) => `${name} ${value}`);
  context.diagnostic(figures.join(', '));
  const file = process.env['FAILURE_RESULTS'];
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(finding)}\n`);
}
