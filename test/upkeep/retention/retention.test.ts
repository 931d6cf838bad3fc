import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { LOG_FILES, type LogFile } from '../../../src/core/files.ts';
import type { RetentionPolicy } from '../../../src/core/retention-policy.ts';
import type { SegmentFacts } from '../../../src/storage/facts.ts';
import { SEGMENT_SUFFIX } from '../../../src/storage/layout.ts';
import { closedSegments } from '../../../src/storage/recovery.ts';
import { readRetentionLedger, removedThrough } from '../../../src/storage/retention-ledger.ts';
import { Retention, type RetentionOptions } from '../../../src/upkeep/retention/retention.ts';
import { verify } from '../../../src/upkeep/verify.ts';
import { writeSealedDirectory } from '../../helpers/backup-harness.ts';
import { writeLogDirectory } from '../../helpers/log-directory.ts';
import { KEEP_ALL } from '../../helpers/retention-policy.ts';

const DAY_MS = 86_400_000;
const TWO_DAYS = { ...KEEP_ALL, maxAgeMs: allFiles(2 * DAY_MS) };

function allFiles(ageMs: number): Record<LogFile, number> {
  return Object.fromEntries(LOG_FILES.map((file) => [file, ageMs])) as Record<LogFile, number>;
}

function retentionOf(
  directory: string,
  policy: RetentionPolicy,
  options: Partial<RetentionOptions> & { readonly inDays?: number } = {},
): Retention {
  const now = Date.now() + (options.inDays ?? 0) * DAY_MS;
  return new Retention({
    directory,
    policy,
    clock: { now: () => now, monotonic: () => now },
    mayGoThrough: () => Number.MAX_SAFE_INTEGER,
    onRemoved: () => undefined,
    ...options,
  });
}

function countOf(directory: string): number {
  return LOG_FILES.reduce((sum, file) => sum + closedSegments(directory, file).length, 0);
}

test('what is too old goes with everything that belongs to it, and verify still accounts for it', async (context) => {
  const directory = await writeSealedDirectory(context);
  const before = await verify(directory);
  const count = countOf(directory);
  await retentionOf(directory, TWO_DAYS, { inDays: 1 }).runOnce();
  assert.equal(countOf(directory), count);
  let removed = 0;
  const onRemoved = (segments: number): void => {
    removed += segments;
  };
  await retentionOf(directory, TWO_DAYS, { inDays: 3, onRemoved }).runOnce();
  assert.equal(removed, count);
  assert.deepEqual(
    LOG_FILES.flatMap((file) => readdirSync(join(directory, 'archive', file))),
    [],
  );
  const after = await verify(directory);
  assert.deepEqual(after.problems, []);
  assert.equal(after.removed.segments, count);
  assert.equal(after.records + after.removed.records, before.records);
});

test('only sealed segments go', async (context) => {
  const directory = await writeLogDirectory(context);
  const count = countOf(directory);
  await retentionOf(directory, TWO_DAYS, { inDays: 3 }).runOnce();
  assert.equal(countOf(directory), count);
});

test('nothing goes that others still need, nor what comes after it', async (context) => {
  const directory = await writeSealedDirectory(context);
  const mayGoThrough = (file: LogFile): number => (file === 'service_logs' ? 1 : 0);
  await retentionOf(directory, TWO_DAYS, { inDays: 3, mayGoThrough }).runOnce();
  const ledger = readRetentionLedger(directory);
  assert.deepEqual(
    LOG_FILES.map((file) => removedThrough(ledger, file)),
    [1, 0, 0, 0, 0],
  );
  assert.deepEqual((await verify(directory)).problems, []);
});

test('a limit on all files together removes the oldest', async (context) => {
  const directory = await writeSealedDirectory(context);
  const bytes = (): number =>
    readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.(jsonl|gz|parquet|meta\.json)$/.test(entry.name))
      .filter((entry) => !entry.parentPath.endsWith('state'))
      .reduce((sum, entry) => sum + readFileSync(join(entry.parentPath, entry.name)).length, 0);
  const limit = Math.round(bytes() * 0.6);
  await retentionOf(directory, { ...KEEP_ALL, maxTotalBytes: limit }).runOnce();
  assert.ok(bytes() <= limit && bytes() > limit / 2, `${bytes()} of ${limit}`);
  assert.deepEqual((await verify(directory)).problems, []);
});

test('above the watermark of the disk everything that may go goes, and what is left is told', async (context) => {
  const directory = await writeSealedDirectory(context);
  const { blocked } = await retentionOf(directory, { ...KEEP_ALL, diskWatermark: 0.0001 }).runOnce();
  assert.equal(countOf(directory), 0);
  assert.match(blocked ?? '', /^the disk is \d+ % full, above retention\.disk_watermark \(0 %\)/);
  assert.deepEqual(await retentionOf(directory, { ...KEEP_ALL, diskWatermark: 1 }).runOnce(), {
    blocked: null,
  });
});

test('facts that cannot be read keep their segment and those after it', async (context) => {
  const directory = await writeSealedDirectory(context);
  const [first] = closedSegments(directory, 'service_logs');
  writeFileSync(`${first?.path}${SEGMENT_SUFFIX.facts}`, 'no facts');
  await retentionOf(directory, TWO_DAYS, { inDays: 3 }).runOnce();
  assert.equal(removedThrough(readRetentionLedger(directory), 'service_logs'), 0);
});

test('a clock that was ahead when a segment was closed keeps it, and those after it', async (context) => {
  const directory = await writeSealedDirectory(context);
  const [first] = closedSegments(directory, 'error_logs');
  const path = `${first?.path}${SEGMENT_SUFFIX.facts}`;
  const facts = JSON.parse(readFileSync(path, 'utf8')) as SegmentFacts;
  const ahead = new Date(Date.now() + 30 * DAY_MS).toISOString();
  writeFileSync(path, JSON.stringify({ ...facts, closed_at: ahead }));
  await retentionOf(directory, TWO_DAYS, { inDays: 3 }).runOnce();
  assert.equal(removedThrough(readRetentionLedger(directory), 'error_logs'), 0);
  assert.ok(existsSync(path));
});
