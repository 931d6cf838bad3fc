/** Directories from which segments were removed on purpose. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { LOG_FILES } from '../../src/core/files.ts';
import { closedSegments } from '../../src/storage/recovery.ts';
import { readRetentionLedger, writeRetentionLedger } from '../../src/storage/retention-ledger.ts';
import { verify } from '../../src/upkeep/verify.ts';
import { alter, closedFiles, writeLogDirectory } from '../helpers/log-directory.ts';
import { declareRemoved, removeOldest } from '../helpers/removal.ts';
import { SealerHarness } from '../helpers/sealer-harness.ts';

test('whatever was removed on purpose is accounted for, file by file, to the last segment', async (context) => {
  const directory = await writeLogDirectory(context);
  const before = await verify(directory);
  let segments = 0;
  for (const file of LOG_FILES) {
    while (closedSegments(directory, file).length > 0) {
      await removeOldest(directory, file);
      segments += 1;
      const report = await verify(directory);
      assert.deepEqual(report.problems, []);
      assert.equal(report.removed.segments, segments);
      assert.equal(report.records + report.removed.records, before.records);
      assert.deepEqual(report.partitions, before.partitions);
      assert.equal(report.quarantined, before.quarantined);
    }
  }
  assert.ok(segments > LOG_FILES.length);
});

test('compressed segments too', async (context) => {
  const directory = await writeLogDirectory(context);
  const harness = new SealerHarness(directory);
  harness.sealAll();
  await harness.idle();
  for (const file of LOG_FILES) await removeOldest(directory, file);
  const report = await verify(directory);
  assert.deepEqual(report.problems, []);
  assert.ok(report.removed.records > 0);
});

test('a missing segment that the ledger does not name stays a problem', async (context) => {
  const directory = await writeLogDirectory(context);
  await removeOldest(directory, 'service_logs');
  const [next] = closedSegments(directory, 'service_logs');
  assert.ok(next !== undefined);
  for (const suffix of next.suffixes) rmSync(next.path + suffix);
  const { problems } = await verify(directory);
  assert.match(problems.join('\n'), /Segment 2 of service_logs is missing from the archive/);
  assert.match(problems.join('\n'), /lines and \d+ were removed, 42 were recorded as written/);
});

test('what an interrupted removal left is not counted and no problem', async (context) => {
  const directory = await writeLogDirectory(context);
  for (const file of LOG_FILES) await declareRemoved(directory, file);
  const whole = await verify(directory);
  assert.deepEqual(whole.problems, []);
  assert.equal(whole.leftovers.length, LOG_FILES.length);
  assert.equal(whole.records + whole.removed.records, 42);
  // Half of it gone, and half of what is left damaged.
  for (const file of LOG_FILES) rmSync(closedFiles(directory, file, '.meta.json')[0] ?? '');
  for (const file of LOG_FILES) alter(closedFiles(directory, file)[0] ?? '', (text) => text.slice(3));
  assert.deepEqual((await verify(directory)).problems, []);
});

test('a line removed from what is left is still noticed', async (context) => {
  for (const file of ['service_logs', 'quarantine'] as const) {
    const directory = await writeLogDirectory(context);
    await removeOldest(directory, file);
    alter(join(directory, `${file}.jsonl`), (text) => text.slice(text.indexOf('\n') + 1));
    const { problems } = await verify(directory);
    assert.match(problems.join('\n'), new RegExp(`${file}\\.jsonl has \\d+ bytes`));
  }
});

test('a ledger that says less or more than was removed is noticed', async (context) => {
  const directory = await writeLogDirectory(context);
  await removeOldest(directory, 'service_logs', 2);
  await removeOldest(directory, 'quarantine', 1);
  const ledger = readRetentionLedger(directory);
  const { service_logs: service, quarantine } = ledger.files;
  assert.ok(service?.offsets?.['logs/0'] !== undefined && service.totals !== undefined);
  assert.ok(quarantine?.quarantine?.['logs/0'] !== undefined);
  const { records } = quarantine.quarantine['logs/0'];
  const wrong = [
    [{ ...service, records: service.records + 1 }, quarantine, /were recorded as written/],
    [
      { ...service, totals: { ...service.totals, filtered: 0 } },
      quarantine,
      /account for \d+ records filtered/,
    ],
    [
      { ...service, offsets: { ...service.offsets, 'logs/0': { from: 0, to: 1 } } },
      quarantine,
      /of logs\/0, offsets 1 to \d+ are missing/,
    ],
    [
      { ...service, offsets: { ...service.offsets, 'logs/0': { from: 1, to: 10 } } },
      quarantine,
      /The removed segments: of logs\/0, offsets 0 to 0 are missing/,
    ],
    [
      service,
      { ...quarantine, quarantine: { 'logs/0': { records: records + 1, last_offset: 2 } } },
      /The quarantine holds \d+ records of logs\/0, 8 were recorded/,
    ],
    [
      service,
      { ...quarantine, quarantine: { 'logs/0': { records, last_offset: 30 } } },
      /The quarantine holds offset \d+ of logs\/0 twice or out of order/,
    ],
  ] as const;
  for (const [files, entries, problem] of wrong) {
    writeRetentionLedger(directory, { ...ledger, files: { service_logs: files, quarantine: entries } });
    assert.match((await verify(directory)).problems.join('\n'), problem);
  }
});

test('a damaged ledger is a problem that names it', async (context) => {
  const directory = await writeLogDirectory(context);
  await removeOldest(directory, 'service_logs');
  alter(join(directory, 'state/retention.json'), (text) => text.replace('"records":', '"records":1'));
  assert.match((await verify(directory)).problems.join('\n'), /retention\.json is damaged/);
});

test('a segment that is removed while the directory is being checked is no problem', async (context) => {
  const directory = await writeLogDirectory(context);
  let removing: Promise<void> | undefined;
  const report = await verify(directory, () => {
    removing ??= removeOldest(directory, 'service_logs', 3);
  });
  await removing;
  assert.deepEqual(report.problems, []);
  assert.equal(report.removed.segments, 3);
});
