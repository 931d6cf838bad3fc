/**
 * `npm run test:failure`: the failure suite at its full figures, which takes hours, and its report.
 * Arguments name the test files to run instead of all.
 *
 * docs/failure-report.json holds the last run of every file, docs/failure-report.md shows it.
 */
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { globalSetup, globalTeardown } from '../../test/helpers/kafka-global.ts';
import { type FileRun, failureReport, type Runs, type TestResult } from './document.ts';
import type { Outcome } from './findings.ts';

const TIMEOUT_MS = 3 * 3_600_000;
const DATA = 'docs/failure-report.json';
const REPORT = 'docs/failure-report.md';

const named = process.argv.slice(2);
const files = named.length > 0 ? named : globSync('test/{failure,simulation}/*.test.ts').sort();
process.env['FAILURE_SCALE'] = 'full';
await globalSetup();
try {
  // One file after the other: each wants the machine for itself.
  for (const file of files) {
    const found = await runFile(file);
    writeReport(file, found);
    if (found.tests.some(({ result }) => result === 'failed')) process.exitCode = 1;
  }
} finally {
  await globalTeardown();
}

async function runFile(file: string): Promise<FileRun> {
  const directory = mkdtempSync(join(tmpdir(), 'failure-results-'));
  const results = join(directory, 'results.jsonl');
  writeFileSync(results, '');
  process.env['FAILURE_RESULTS'] = results;
  try {
    const tests = await runTests(file);
    const lines = readFileSync(results, 'utf8').split('\n').filter(Boolean);
    return {
      date: new Date().toISOString().slice(0, 10),
      machine: `${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform}`,
      versions: `Node ${process.version}`,
      outcomes: lines.map((line) => JSON.parse(line) as Outcome),
      tests,
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function runTests(file: string): Promise<TestResult[]> {
  const tests: TestResult[] = [];
  const events = run({ files: [resolve(file)], concurrency: 1, timeout: TIMEOUT_MS });
  events.on('test:pass', ({ name, nesting, skip, details }) => {
    if (nesting > 0) return;
    const result = skip === undefined ? 'passed' : 'skipped';
    tests.push({ name, result, seconds: details.duration_ms / 1000 });
  });
  events.on('test:fail', ({ name, nesting, details }) => {
    if (nesting === 0) tests.push({ name, result: 'failed', seconds: details.duration_ms / 1000 });
  });
  for await (const line of events.compose(spec)) process.stderr.write(line as string);
  return tests;
}

function writeReport(file: string, found: FileRun): void {
  const before: Runs = existsSync(DATA) ? (JSON.parse(readFileSync(DATA, 'utf8')) as Runs) : {};
  const runs = { ...before, [file]: found };
  writeFileSync(DATA, `${JSON.stringify(runs, null, 1)}\n`);
  writeFileSync(REPORT, failureReport(runs));
}
