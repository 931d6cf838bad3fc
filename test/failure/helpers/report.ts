/**
 * What the failure suite found, for docs/failure-report.md (scripts/failure/run.ts): one JSON line per
 * finding in the file that FAILURE_RESULTS names. Without that variable the figures are only a diagnostic
 * of the test.
 */
import { appendFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import type { Caught, Finding, Outcome } from '../../../scripts/failure/findings.ts';

/** Call it last, when everything was asserted. */
export function report(context: TestContext, finding: Finding): void {
  const figures = Object.entries(finding.figures).map(([name, value]) => `${name} ${value}`);
  context.diagnostic(figures.join(', '));
  record({ kind: 'finding', test: context.name, finding });
}

/** A broken build was noticed; call it last. */
export function reportCaught(context: TestContext, caught: Caught): void {
  context.diagnostic(`noticed: ${caught.evidence}`);
  record({ kind: 'caught', test: context.name, caught });
}

function record(outcome: Outcome): void {
  const file = process.env['FAILURE_RESULTS'];
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(outcome)}\n`);
}
