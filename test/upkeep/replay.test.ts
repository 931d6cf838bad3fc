import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { CATEGORIES } from '../../src/core/files.ts';
import { encodeChecked } from '../../src/storage/checked-json.ts';
import { loadReplayJournal } from '../../src/storage/replay-journal.ts';
import { createReparser } from '../../src/transform/reparse.ts';
import { verify } from '../../src/upkeep/verify.ts';
import { alter, closedFiles } from '../helpers/log-directory.ts';
import {
  ingest,
  NARROW,
  type PartitionBatches,
  replayedLines,
  replayWide,
  storedLines,
  WIDE,
} from '../helpers/quarantined-directory.ts';
import {
  CODEC_NAMES,
  type CodecName,
  encodeRecords,
  type TestBatch,
  type TestRecord,
} from '../helpers/record-batch-builder.ts';
import { SealerHarness } from '../helpers/sealer-harness.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

const pad = (length: number): string => 'x'.repeat(length);

const SMALL: TestRecord = { value: '{"level":"info","message":"small"}' };
const LARGE: TestRecord = { value: `{"level":"error","message":"large","pad":"${pad(100)}"}` };
const LARGE_DEBUG: TestRecord = { value: `{"level":"debug","message":"large","pad":"${pad(100)}"}` };
const TEXT: TestRecord = { value: 'no json at all' };

/** Two partitions; the quarantine is rotated, and half of it can be accepted with larger limits. */
const BATCHES: readonly PartitionBatches[] = [0, 1].map((partition) => ({
  partition,
  batches: Array.from({ length: 6 }, (): TestBatch => ({ records: [SMALL, LARGE, TEXT, LARGE_DEBUG] })),
}));

async function ingested(context: Parameters<typeof temporaryDirectory>[0]): Promise<string> {
  const directory = temporaryDirectory(context);
  await ingest(directory, BATCHES, NARROW);
  assert.ok(closedFiles(directory, 'quarantine').length > 1, 'the quarantine was rotated');
  return directory;
}

test('what is accepted now is stored, once, however often it is replayed', async (context) => {
  const directory = await ingested(context);
  const before = await verify(directory);
  const dry = await replayWide(directory, { dryRun: true });
  assert.deepEqual([dry.stored, dry.remaining, dry.segments], [24, { not_json: 12 }, []]);
  assert.ok(!existsSync(join(directory, 'state/replay.json')));

  const report = await replayWide(directory);
  assert.deepEqual(
    [report.stored, report.files, report.filtered, report.already_replayed, report.remaining],
    [24, { service_logs: 24, error_logs: 12 }, 0, 0, { not_json: 12 }],
  );
  assert.match(
    report.segments[0] ?? '',
    /^archive\/service_logs\/date=[\d-]+\/service_logs-\w+\.\d{3}Z-r00000001$/,
  );
  assert.equal(replayedLines(directory, 'service_logs').length, 24);

  const again = await replayWide(directory);
  assert.deepEqual([again.stored, again.already_replayed, again.segments], [0, 24, []]);
  assert.deepEqual(await verify(directory), { ...before, replayed: 24 });
});

test('records below the minimum level are counted, not stored, and not tried again', async (context) => {
  const directory = await ingested(context);
  const reparse = createReparser({ ...WIDE, minLevel: 'INFO' });
  const report = await replayWide(directory, { reparse });
  assert.deepEqual([report.stored, report.filtered], [12, 12]);
  const again = await replayWide(directory);
  assert.deepEqual([again.stored, again.filtered, again.already_replayed], [0, 0, 24]);
  const { ok, replayed } = await verify(directory);
  assert.deepEqual([ok, replayed], [true, 12]);
});

test('only the entries with a reason', async (context) => {
  const directory = await ingested(context);
  const none = await replayWide(directory, { reason: 'not_json' });
  assert.deepEqual([none.stored, none.remaining], [0, { not_json: 12 }]);
  const all = await replayWide(directory, { reason: 'too_large' });
  assert.deepEqual([all.stored, all.remaining], [24, {}]);
});

test('a long replay becomes several runs, each with segments of its own', async (context) => {
  const directory = await ingested(context);
  const { segments } = await replayWide(directory, { maxFileBytes: 1000 });
  const { runs, numbers } = loadReplayJournal(directory);
  assert.ok(runs.length > 2);
  assert.equal(numbers.service_logs, runs.length);
  assert.equal(new Set(segments).size, segments.length);
  assert.deepEqual((await verify(directory)).problems, []);
});

test('segments of a replay are compressed like others, leftovers are not', async (context) => {
  const directory = await ingested(context);
  const { segments } = await replayWide(directory);
  const leftover = join(directory, `${segments[0]}`).replace('r00000001', 'r00000002');
  for (const suffix of ['.jsonl', '.meta.json']) {
    writeFileSync(leftover + suffix, readFileSync(`${join(directory, `${segments[0]}`)}${suffix}`));
  }
  const harness = new SealerHarness(directory);
  harness.sealAll();
  await harness.idle();
  assert.deepEqual(harness.failures, []);
  for (const segment of segments) {
    assert.ok(existsSync(join(directory, `${segment}.jsonl.gz`)));
    assert.ok(!existsSync(join(directory, `${segment}.jsonl`)));
  }
  assert.ok(existsSync(`${leftover}.jsonl`));
  const { problems, replayed } = await verify(directory);
  assert.deepEqual([problems, replayed], [[], 24]);
  assert.equal((await replayWide(directory)).already_replayed, 24);
  assert.ok(!existsSync(`${leftover}.jsonl`), 'a leftover goes with the next replay');
  assert.ok(!existsSync(`${leftover}.meta.json`));
});

test('a sealed quarantine is replayed too', async (context) => {
  const directory = await ingested(context);
  const harness = new SealerHarness(directory);
  harness.sealAll();
  await harness.idle();
  assert.equal(closedFiles(directory, 'quarantine').length, 0);
  assert.equal((await replayWide(directory)).stored, 24);
});

const record: fc.Arbitrary<TestRecord> = fc.record({
  value: fc.oneof(
    fc.constantFrom(SMALL.value, LARGE.value, LARGE_DEBUG.value, TEXT.value, null, '[]'),
    fc.nat({ max: 3 }).map((depth) => `${'{"a":'.repeat(depth)}{"msg":"${pad(120)}"}${'}'.repeat(depth)}`),
    fc.constant(Buffer.from([0xff, 0xfe])),
  ),
  key: fc.option(fc.string({ maxLength: 5 }), { nil: null }),
  headers: fc.array(
    fc.tuple(fc.constantFrom('service', 'x', ''), fc.option(fc.string({ maxLength: 5 }), { nil: null })),
    { maxLength: 3 },
  ),
  timestamp: fc.constantFrom(Date.UTC(2026, 10, 23), 0, 1, Date.UTC(2026, 10, 24)),
});

const batch: fc.Arbitrary<TestBatch> = fc.record({
  records: fc.array(record, { minLength: 1, maxLength: 5 }),
  codec: fc.constantFrom<CodecName>(...CODEC_NAMES),
  logAppendTime: fc.boolean(),
});

test('narrow limits and then a replay store what wide limits would have stored', async (context) => {
  const parent = temporaryDirectory(context);
  const narrow = { ...NARROW, maxDepth: 4, maxDecompressedBytes: 400 };
  let directories = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(batch, { minLength: 1, maxLength: 6 }), async (batches) => {
      directories += 1;
      const [directory, wanted] = [join(parent, `a${directories}`), join(parent, `b${directories}`)];
      await ingest(directory, [{ partition: 0, batches }], narrow);
      await ingest(wanted, [{ partition: 0, batches }], WIDE);
      await replayWide(directory, { maxFileBytes: 300 });
      for (const file of ['service_logs', ...CATEGORIES] as const) {
        assert.deepEqual(storedLines(directory, file), storedLines(wanted, file), file);
      }
      assert.deepEqual((await verify(directory)).problems, []);
      assert.equal((await replayWide(directory)).stored, 0);
    }),
    { numRuns: 20 },
  );
});

test('a batch that was over the limit gives up its records one by one, over several replays', async (context) => {
  const directory = temporaryDirectory(context);
  const batches: TestBatch[] = [{ records: [SMALL, LARGE, SMALL], codec: 'lz4' }];
  await ingest(directory, [{ partition: 0, batches }], { ...NARROW, maxDecompressedBytes: 100 });
  const first = await replayWide(directory, { reparse: createReparser(NARROW) });
  assert.deepEqual([first.stored, first.remaining], [2, { too_large: 1 }]);
  const second = await replayWide(directory);
  assert.deepEqual([second.stored, second.already_replayed, second.remaining], [1, 2, {}]);
  assert.deepEqual((await verify(directory)).problems, []);
});

test('records before the damage of a batch were stored by ingestion, and are not stored again', async (context) => {
  const directory = temporaryDirectory(context);
  const records = [SMALL, SMALL];
  const body = Buffer.concat([encodeRecords({ records }), Buffer.of(9, 9, 9)]);
  const batch: TestBatch = { records, body, recordCount: 4, lastOffsetDelta: 3 };
  await ingest(directory, [{ partition: 0, batches: [batch] }], NARROW);
  assert.equal(storedLines(directory, 'service_logs').length, 2);
  const report = await replayWide(directory);
  assert.deepEqual([report.stored, report.remaining], [0, { corrupt_batch: 2 }]);
});

test('a damaged batch stays', async (context) => {
  const directory = temporaryDirectory(context);
  await ingest(directory, [{ partition: 0, batches: [{ records: [SMALL, SMALL], crc: 1 }] }], NARROW);
  const report = await replayWide(directory);
  assert.deepEqual([report.stored, report.remaining], [0, { corrupt_batch: 2 }]);
});

const DAMAGES: readonly (readonly [string, (directory: string) => void, RegExp])[] = [
  [
    'a byte of a segment changed',
    (at) => alter(segmentOf(at, '.jsonl'), (text) => text.replace('large', 'LARGE')),
    /r00000001\.jsonl does not have the checksum/,
  ],
  [
    'the facts of a segment gone',
    (at) => alter(segmentOf(at, '.meta.json'), () => ''),
    /of a replay cannot be read/,
  ],
  [
    'an offset that the quarantine does not hold',
    (at) => rewriteJournal(at, (text) => text.replace('"stored":[1,1,', '"stored":[0,2,')),
    /1 records of logs\/0 were replayed that are not in the quarantine/,
  ],
  [
    'an offset in two runs',
    (at) =>
      rewriteJournal(at, (text) => {
        const journal = JSON.parse(text) as { runs: object[] };
        return JSON.stringify({ ...journal, runs: [...journal.runs, ...journal.runs] });
      }),
    /12 records of logs\/0 were replayed twice/,
  ],
  [
    'a run with more lines than offsets',
    (at) => rewriteJournal(at, (text) => text.replace('"stored":[1,1,', '"stored":[3,1,')),
    /has 24 lines, but accounts for \d+ records|replayed that are not in the quarantine/,
  ],
  [
    'a damaged journal',
    (at) => alter(join(at, 'state/replay.json'), (text) => text.replace('1', '2')),
    /is damaged/,
  ],
];

function segmentOf(directory: string, suffix: string): string {
  const day = join(directory, 'archive/service_logs');
  const name = readdirSync(day, { recursive: true, encoding: 'utf8' }).find((path) =>
    path.endsWith(`r00000001${suffix}`),
  );
  assert.ok(name !== undefined);
  return join(day, name);
}

/** Replaces the journal by a valid one with other content. */
function rewriteJournal(directory: string, change: (text: string) => string): void {
  const journal = JSON.stringify(loadReplayJournal(directory));
  const changed = change(journal);
  assert.notEqual(changed, journal);
  writeFileSync(join(directory, 'state/replay.json'), encodeChecked(JSON.parse(changed) as object));
}

for (const [what, damage, problem] of DAMAGES) {
  test(`verify notices ${what}`, async (context) => {
    const directory = await ingested(context);
    await replayWide(directory);
    damage(directory);
    const report = await verify(directory);
    assert.equal(report.ok, false);
    assert.match(report.problems.join('\n'), problem);
  });
}

test('a damaged journal stops a replay, not the compression of other files', async (context) => {
  const directory = await ingested(context);
  await replayWide(directory);
  alter(join(directory, 'state/replay.json'), (text) => text.replace('1', '2'));
  await assert.rejects(replayWide(directory), { code: 'FILE_CORRUPT', message: /is damaged: restore it/ });
  const harness = new SealerHarness(directory);
  harness.sealAll();
  await harness.idle();
  assert.ok(harness.sealed.length > 0);
});
