/**
 * What a process leaves that is killed at any call to the file system: the files are copied aside just
 * before the call. Every copy must recover to whole units in order, exactly those below the checkpoint,
 * and going on from there must end in the same files as without the crash.
 */
import assert from 'node:assert/strict';
import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { CATEGORIES, LOG_FILES, type LogFile } from '../../src/core/files.ts';
import { recover } from '../../src/storage/recovery.ts';
import { verify } from '../../src/upkeep/verify.ts';
import { contentsOf } from '../helpers/directory-content.ts';
import { hookFileSystem } from '../helpers/file-system-hook.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { type TestRecord, traceOf, unitOf } from '../helpers/write-units.ts';
import { WriterHarness } from '../helpers/writer-harness.ts';

interface Step {
  readonly partition: number;
  readonly records: readonly TestRecord[];
  readonly padding: number;
}

interface Placed extends Step {
  readonly firstOffset: number;
}

const OPTIONS = { maxFileBytes: 400, bufferRecords: 5, checkpointIntervalMs: 2, flushIntervalMs: 1 };

function place(steps: readonly Step[]): Placed[] {
  const next = new Map<number, number>();
  return steps.map((step) => {
    const firstOffset = next.get(step.partition) ?? 0;
    next.set(step.partition, firstOffset + step.records.length);
    return { ...step, firstOffset };
  });
}

function unitsOf(placed: readonly Placed[]): ReturnType<typeof unitOf>[] {
  return placed.map(({ partition, firstOffset, records, padding }) =>
    unitOf(partition, firstOffset, records, padding),
  );
}

/** What the files must hold when the units were stored in this order. */
function expected(placed: readonly Placed[]): Record<LogFile, string> {
  const texts = LOG_FILES.map((file) => {
    const lines = placed.flatMap(({ partition, firstOffset, records, padding }) =>
      records.map((record, index) => traceOf(record, file, partition, firstOffset + index, padding)),
    );
    return [file, lines.join('')] as const;
  });
  return Object.fromEntries(texts) as Record<LogFile, string>;
}

/** Recovers a copy and compares it; then a new writer stores the rest. */
async function check(copy: string, placed: readonly Placed[]): Promise<void> {
  assert.deepEqual((await verify(copy)).problems, [], 'a crash is no problem, recovered or not');
  const { checkpoint } = recover(copy, 'test', 0);
  const reached = (partition: number): number => checkpoint.partitions[`logs/${partition}`]?.next_offset ?? 0;
  const stored = placed.filter((unit) => unit.firstOffset + unit.records.length <= reached(unit.partition));
  assert.deepEqual(contentsOf(copy), expected(stored));
  assert.deepEqual((await verify(copy)).problems, []);
  const rest = placed.filter((unit) => !stored.includes(unit));
  const harness = new WriterHarness(copy, OPTIONS);
  harness.append(...unitsOf(rest));
  await harness.stop();
  assert.deepEqual(contentsOf(copy), expected([...stored, ...rest]));
  assert.deepEqual((await verify(copy)).problems, []);
}

/** Names and contents of all files, to tell copies apart. */
function stateOf(directory: string): string {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  return entries
    .map(
      (entry) =>
        join(entry.parentPath, entry.name) +
        (entry.isFile() ? readFileSync(join(entry.parentPath, entry.name), 'latin1') : ''),
    )
    .join('\0');
}

/** Runs the steps, copying the directory aside before those calls for which `chosen` says so. */
async function run(
  context: TestContext,
  placed: readonly Placed[],
  chosen: (call: number) => boolean,
): Promise<{ readonly copies: string[]; readonly calls: number }> {
  const directory = temporaryDirectory(context);
  const copies: string[] = [];
  let calls = 0;
  let last = '';
  const harness = new WriterHarness(join(directory, 'files'), OPTIONS);
  const release = hookFileSystem((call) => {
    calls += 1;
    const state = chosen(calls) ? stateOf(join(directory, 'files')) : last;
    if (state === last) return;
    last = state;
    const copy = join(directory, `${calls}-${call}`);
    cpSync(join(directory, 'files'), copy, { recursive: true });
    copies.push(copy);
  });
  try {
    for (const unit of unitsOf(placed)) {
      harness.append(unit);
      await turn();
    }
    await harness.stop();
  } finally {
    release();
  }
  assert.deepEqual(contentsOf(join(directory, 'files')), expected(placed));
  return { copies, calls };
}

const EVERYTHING: readonly TestRecord[] = [
  [],
  ['error_logs', 'audit_logs'],
  'filtered',
  'quarantined',
  ['performance_logs'],
];

test('killed before any of its calls, with rotations of several files', async (context) => {
  const steps = Array.from({ length: 8 }, (_, index) => ({
    partition: index % 2,
    records: EVERYTHING.slice(index % 3),
    padding: 40 + index,
  }));
  const placed = place(steps);
  const { copies, calls } = await run(context, placed, () => true);
  assert.ok(copies.length > 40, `only ${copies.length} of ${calls} calls`);
  for (const copy of copies) {
    await check(copy, placed).catch((error: unknown) => {
      throw new Error(`killed before ${copy}`, { cause: error });
    });
  }
});

const record = fc.oneof(
  fc.constantFrom<TestRecord>('filtered', 'quarantined'),
  fc.subarray([...CATEGORIES]) as fc.Arbitrary<TestRecord>,
);
const step = fc.record({
  partition: fc.nat({ max: 2 }),
  records: fc.array(record, { minLength: 1, maxLength: 5 }),
  padding: fc.oneof(fc.nat({ max: 40 }), fc.constant(500)),
});

test('killed at random calls, with random units', async (context) => {
  const runs = fc.tuple(
    fc.array(step, { minLength: 1, maxLength: 25 }),
    fc.integer({ min: 3, max: 60 }),
    fc.nat({ max: 59 }),
  );
  await fc.assert(
    fc.asyncProperty(runs, async ([steps, every, phase]) => {
      const placed = place(steps);
      const { copies } = await run(context, placed, (call) => call % every === phase % every);
      for (const copy of copies.slice(0, 4)) await check(copy, placed);
    }),
    { numRuns: 7, endOnFailure: true },
  );
});

test('killed while it recovers', async (context) => {
  const placed = place(Array.from({ length: 6 }, () => ({ partition: 0, records: EVERYTHING, padding: 60 })));
  const { copies } = await run(context, placed, () => true);
  let interrupted = 0;
  for (const copy of copies) {
    const again = copiesOfRecovery(copy);
    // Most have nothing more to do than to cut.
    if (again.length < 4) continue;
    interrupted += 1;
    if (interrupted > 3) break;
    for (const second of again) await check(second, placed);
  }
  assert.ok(interrupted > 0);
});

/** Recovers a directory; returns a copy of every state that it passed through. */
function copiesOfRecovery(directory: string): string[] {
  const copies: string[] = [];
  let last = '';
  const release = hookFileSystem((call) => {
    const state = stateOf(directory);
    if (state === last) return;
    last = state;
    const copy = `${directory}-${copies.length}-${call}`;
    cpSync(directory, copy, { recursive: true });
    copies.push(copy);
  });
  recover(directory, 'test', 0);
  release();
  return copies;
}
