/** Writes docs/failure-report.md from what the runs of the failure suite found. */
import type { Finding, Outcome } from './findings.ts';

export interface TestResult {
  readonly name: string;
  readonly result: 'passed' | 'failed' | 'skipped';
  readonly seconds: number;
}

/** The last full run of one test file. */
export interface FileRun {
  readonly date: string;
  readonly machine: string;
  readonly versions: string;
  readonly outcomes: readonly Outcome[];
  readonly tests: readonly TestResult[];
}

/** Runs by test file. */
export type Runs = Readonly<Record<string, FileRun>>;

export function failureReport(runs: Runs): string {
  const files = Object.entries(runs).sort(([left], [right]) => (left < right ? -1 : 1));
  const outcomes = files.flatMap(([, { outcomes: found }]) => found);
  return [
    '# Failure report',
    '',
    'Written by `npm run test:failure`, which does to the service what it must survive, at the full figures. The',
    'suite takes hours; `npm run test:failure -- <file> ...` runs a part of it and renews that part of the report.',
    '"Exact" means: every record that was produced is in the files or in the quarantine exactly once and in the',
    'order of its partition, no line is torn, no commit is ahead of a checkpoint, and `verify` agrees.',
    '',
    ...distinct(files.map(([, { machine, versions }]) => `${machine}; ${versions}`)).map(
      (machine) => `- Machine: ${machine}`,
    ),
    `- Tests: ${tally(files.flatMap(([, { tests }]) => tests))}`,
    `- ${missingRows(outcomes)}`,
    '',
    '## What was done, and what was counted',
    '',
    ...findingsTable(files.map(([, run]) => run)),
    '',
    'A run is repeated with `FAILURE_SEED=<seed> FAILURE_SCALE=full node --test <file>`.',
    '',
    '## Builds that were broken on purpose',
    '',
    ...caughtTable(outcomes),
    '',
    '## Every test',
    '',
    ...testsTable(files),
    '',
  ].join('\n');
}

/** Rows of the table of failures: 1 SIGKILL, 2 and 3 every call to the disk, ..., 23 hours under load. */
const ROWS = 23;

/** What nobody has run yet is said, so that its absence is not taken for success. */
function missingRows(outcomes: readonly Outcome[]): string {
  const seen = new Set(outcomes.map((outcome) => (outcome.kind === 'finding' ? outcome.finding.row : 0)));
  const missing = Array.from({ length: ROWS }, (_, index) => index + 1).filter((row) => !seen.has(row));
  return missing.length === 0
    ? 'Every row has run at its full figures.'
    : `Not run at their full figures yet (\`npm test\` runs smaller ones): rows ${missing.join(', ')}.`;
}

/** The figures of a test that failed in the end say so. */
function findingsTable(runs: readonly FileRun[]): string[] {
  const findings = runs.flatMap(({ outcomes, tests }) =>
    outcomes.flatMap((outcome) => {
      if (outcome.kind !== 'finding') return [];
      const result = tests.find(({ name }) => name === outcome.test)?.result ?? 'failed';
      return [{ ...outcome.finding, result }];
    }),
  );
  const rows = findings
    .sort((left, right) => left.row - right.row)
    .map(({ row, failure, result, figures, seed }) => [
      row || '',
      failure,
      result,
      figuresText(figures),
      seed ?? '',
    ]);
  return table(['row', 'failure', 'result', 'figures', 'seed'], rows);
}

function caughtTable(outcomes: readonly Outcome[]): string[] {
  const rows = outcomes.flatMap((outcome) =>
    outcome.kind === 'caught' ? [[outcome.caught.build, outcome.test, outcome.caught.evidence]] : [],
  );
  return table(['taken out', 'noticed by', 'how'], rows);
}

function testsTable(files: readonly (readonly [string, FileRun])[]): string[] {
  const rows = files.flatMap(([file, { date, tests }]) =>
    tests.map(({ name, result, seconds }) => [file, name, result, Math.round(seconds), date]),
  );
  return table(['file', 'test', 'result', 'seconds', 'date'], rows);
}

function figuresText(figures: Finding['figures']): string {
  return Object.entries(figures)
    .map(([name, value]) => `${name} ${typeof value === 'number' ? value.toLocaleString('en-US') : value}`)
    .join(', ');
}

function tally(tests: readonly TestResult[]): string {
  const count = (result: TestResult['result']): number =>
    tests.filter((test) => test.result === result).length;
  return `${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`;
}

function distinct(values: readonly string[]): string[] {
  return [...new Set(values)];
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string[] {
  const line = (cells: readonly (string | number)[]): string =>
    `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}
