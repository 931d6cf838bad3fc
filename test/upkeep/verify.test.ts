import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { appendFileSync, copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { PartitionCheckpoint } from '../../src/storage/checkpoint.ts';
import { closedSegments } from '../../src/storage/recovery.ts';
import { verify } from '../../src/upkeep/verify.ts';
import { alter, alterCheckpoint, closedFiles, writeLogDirectory } from '../helpers/log-directory.ts';
import { SealerHarness } from '../helpers/sealer-harness.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { TOPIC, unitOf } from '../helpers/write-units.ts';
import { WriterHarness } from '../helpers/writer-harness.ts';

/** The first file of the list; the tests need one. */
function first(paths: readonly string[]): string {
  const [path] = paths;
  assert.ok(path !== undefined);
  return path;
}

async function seal(directory: string, onSealed: () => void = () => undefined): Promise<void> {
  const harness = new SealerHarness(directory, { onSealed });
  const { sealer, failures } = harness;
  harness.sealAll();
  while (closedSegments(directory, 'service_logs').some(({ suffixes }) => suffixes.includes('.jsonl'))) {
    await new Promise((resolve) => setTimeout(resolve, 2));
    assert.deepEqual(failures, []);
  }
  await sealer.stop();
}

test('a directory as the service leaves it is in order, and every offset is accounted for', async (context) => {
  const directory = await writeLogDirectory(context);
  for (const file of ['service_logs', 'error_logs', 'audit_logs', 'quarantine'] as const) {
    assert.ok(closedFiles(directory, file).length > 0, `${file} was rotated`);
  }
  const shares: number[] = [];
  const report = await verify(directory, (share) => shares.push(share));
  assert.deepEqual(report, {
    ok: true,
    records: 42,
    quarantined: 14,
    replayed: 0,
    filtered: 14,
    partitions: {
      'logs/0': {
        first_offset: 0,
        next_offset: 40,
        consumed: 40,
        written: 24,
        filtered: 8,
        quarantined: 8,
        absent: 0,
        lost: [],
        uncertain: [],
      },
      'logs/1': {
        first_offset: 0,
        next_offset: 40,
        consumed: 30,
        written: 18,
        filtered: 6,
        quarantined: 6,
        absent: 0,
        lost: [{ from: 20, to: 30, reason: 'deleted_by_kafka' }],
        uncertain: [],
      },
    },
    removed: { segments: 0, records: 0 },
    leftovers: [],
    instances: [directory],
    problems: [],
  });
  assert.equal(shares.at(-1), 1);
  assert.deepEqual(
    shares,
    shares.toSorted((left, right) => left - right),
  );
});

test('it is in order too when sealed, wholly or half', async (context) => {
  const directory = await writeLogDirectory(context);
  await seal(directory);
  assert.ok((await verify(directory)).ok);
  const gzip = first(closedFiles(directory, 'service_logs', '.jsonl.gz'));
  writeFileSync(gzip.slice(0, -3), '');
  assert.ok(!(await verify(directory)).ok, 'the plain file is what counts as long as it is there');
});

test('an empty output directory of the service is in order; any other is not', async (context) => {
  const directory = temporaryDirectory(context);
  assert.match((await verify(directory)).problems.join(), /holds no checkpoint/);
  await new WriterHarness(directory).stop();
  assert.deepEqual(await verify(directory), {
    ok: true,
    records: 0,
    quarantined: 0,
    replayed: 0,
    filtered: 0,
    partitions: {},
    removed: { segments: 0, records: 0 },
    leftovers: [],
    instances: [directory],
    problems: [],
  });
});

test('bytes beyond the checkpoint are not looked at', async (context) => {
  const directory = await writeLogDirectory(context);
  appendFileSync(join(directory, 'service_logs.jsonl'), 'anything, even torn');
  appendFileSync(join(directory, 'quarantine.jsonl'), 'anything, even torn');
  assert.ok((await verify(directory)).ok);
});

type Damage = readonly [what: string, damage: (directory: string) => void, problem: RegExp];

const active = (directory: string, file = 'service_logs'): string => join(directory, `${file}.jsonl`);
const withoutLine = (text: string): string => text.slice(text.indexOf('\n') + 1);
const doubledLine = (text: string): string => text.slice(0, text.indexOf('\n') + 1) + text;
const flipped = (text: string): string => text.replace('x', 'y');

const DAMAGES: readonly Damage[] = [
  [
    'a byte changed in an active file',
    (at) => alter(active(at), flipped),
    /checksum .* bytes in it were changed/,
  ],
  [
    'a byte changed in a category',
    (at) => alter(first(closedFiles(at, 'audit_logs')), flipped),
    /audit_logs.*checksum/,
  ],
  [
    'a line removed',
    (at) => alter(first(closedFiles(at, 'service_logs')), withoutLine),
    /has \d+ lines, \d+ were recorded/,
  ],
  [
    'a line removed from an active file',
    (at) => alter(active(at), withoutLine),
    /service_logs\.jsonl has \d+ bytes/,
  ],
  [
    'a line doubled',
    (at) => alter(first(closedFiles(at, 'service_logs')), doubledLine),
    /has \d+ lines, \d+ were recorded/,
  ],
  ['a line doubled in an active file', (at) => alter(active(at), doubledLine), /service_logs\.jsonl/],
  ['an active file gone', (at) => rmSync(active(at)), /service_logs\.jsonl cannot be read/],
  [
    'a segment gone',
    (at) => rmSync(first(closedFiles(at, 'service_logs'))),
    /cannot be read|missing from the archive/,
  ],
  [
    'a segment gone with its facts',
    (at) => {
      rmSync(first(closedFiles(at, 'error_logs')));
      rmSync(first(closedFiles(at, 'error_logs', '.meta.json')));
    },
    /Segment 1 of error_logs is missing from the archive/,
  ],
  [
    'facts gone',
    (at) => rmSync(first(closedFiles(at, 'service_logs', '.meta.json'))),
    /\.meta\.json cannot be read/,
  ],
  [
    'facts damaged',
    (at) => alter(first(closedFiles(at, 'service_logs', '.meta.json')), (text) => text.slice(9)),
    /meta\.json cannot be read/,
  ],
  [
    'a segment there twice',
    (at) => {
      const path = first(closedFiles(at, 'service_logs'));
      const facts = first(closedFiles(at, 'service_logs', '.meta.json'));
      const later = (name: string): string => name.replace(/T(\d{6})\.\d{3}Z/, 'T$1.999Z');
      writeFileSync(later(path), readFileSync(path));
      writeFileSync(later(facts), readFileSync(facts));
    },
    /two segments of service_logs with the same number/,
  ],
  [
    'a gap between the offset ranges',
    (at) =>
      alter(first(closedFiles(at, 'service_logs', '.meta.json')), (text) => text.replace('"to":5', '"to":4')),
    /of logs\/0, offsets 4 to 4 are missing/,
  ],
  [
    'an overlap of the offset ranges',
    (at) =>
      alter(first(closedFiles(at, 'service_logs', '.meta.json')), (text) => text.replace('"to":5', '"to":6')),
    /of logs\/0, offsets 5 to 5 are there twice/,
  ],
  [
    'facts without offsets',
    (at) =>
      alter(first(closedFiles(at, 'service_logs', '.meta.json')), (text) =>
        text.replace('"accounts"', '"other"'),
      ),
    /say nothing of offsets/,
  ],
  [
    'totals of a segment that do not add up',
    (at) =>
      alter(first(closedFiles(at, 'service_logs', '.meta.json')), (text) =>
        text.replace(/"filtered":\d+/, '"filtered":99'),
      ),
    /The segments account for \d+ records filtered, the checkpoint for \d+/,
  ],
  [
    'a quarantine entry doubled',
    (at) => alter(active(at, 'quarantine'), doubledLine),
    /The quarantine holds offset \d+ of logs\/\d twice or out of order/,
  ],
  [
    'a quarantine entry gone',
    (at) => alter(active(at, 'quarantine'), withoutLine),
    /The quarantine holds \d+ records of logs/,
  ],
  [
    'a line that is not an object',
    (at) => alter(active(at), (text) => text.replace('{', '[')),
    /1 lines that are not JSON objects/,
  ],
  ['the checkpoints gone', (at) => rmSync(join(at, 'state'), { recursive: true }), /holds no checkpoint/],
];

for (const [what, damage, problem] of DAMAGES) {
  test(`it notices ${what}`, async (context) => {
    const directory = await writeLogDirectory(context);
    damage(directory);
    const report = await verify(directory);
    assert.equal(report.ok, false);
    assert.match(report.problems.join('\n'), problem);
  });
}

const FALSE_ACCOUNTS: readonly (readonly [
  string,
  (entry: PartitionCheckpoint) => PartitionCheckpoint,
  RegExp,
])[] = [
  [
    'consumed more than ended',
    (entry) => ({ ...entry, consumed: entry.consumed + 1 }),
    /41 records were consumed, but 40 accounted for/,
  ],
  [
    'begun later than its segments',
    (entry) => ({ ...entry, first_offset: 3 }),
    /offsets 0 to 2 are there twice/,
  ],
  [
    'more records than offsets',
    (entry) => ({ ...entry, lost: [{ from: 0, to: 5, reason: 'deleted_by_kafka' }] }),
    /logs\/0: 40 records were consumed of at most 35 offsets/,
  ],
];

for (const [what, change, problem] of FALSE_ACCOUNTS) {
  test(`it notices a partition with ${what}`, async (context) => {
    const directory = await writeLogDirectory(context);
    alterCheckpoint(directory, (checkpoint) => {
      const entry = checkpoint.partitions['logs/0'];
      assert.ok(entry !== undefined);
      return { ...checkpoint, partitions: { ...checkpoint.partitions, 'logs/0': change(entry) } };
    });
    assert.match((await verify(directory)).problems.join('\n'), problem);
  });
}

const SEALED_DAMAGES: readonly (readonly [string, (gzip: Buffer) => Uint8Array])[] = [
  ['cut', (gzip) => gzip.subarray(0, -3)],
  [
    'one byte changed',
    (gzip) => Buffer.concat([gzip.subarray(0, 40), Buffer.of((gzip[40] ?? 0) ^ 1), gzip.subarray(41)]),
  ],
  ['replaced by other lines', () => gzipSync('{"x":1}\n')],
  ['zeros behind its end', (gzip) => Buffer.concat([gzip, Buffer.alloc(4)])],
  ['empty', () => Buffer.alloc(0)],
];

for (const [what, damage] of SEALED_DAMAGES) {
  test(`it notices a sealed file: ${what}`, async (context) => {
    const directory = await writeLogDirectory(context);
    await seal(directory);
    const path = first(closedFiles(directory, 'service_logs', '.jsonl.gz'));
    writeFileSync(path, damage(readFileSync(path)));
    const report = await verify(directory);
    assert.ok(
      !report.ok && report.problems.some((problem) => problem.includes(path)),
      report.problems.join('\n'),
    );
  });
}

const SIDECAR_DAMAGES: readonly (readonly [string, (parquet: string, other: string) => void])[] = [
  ['is missing', (parquet) => rmSync(parquet)],
  ['has a changed byte', (parquet) => flipByte(parquet, 40)],
  ['is that of another segment', (parquet, other) => copyFileSync(other, parquet)],
];

for (const [what, damage] of SIDECAR_DAMAGES) {
  test(`it notices a columnar sidecar that ${what}`, async (context) => {
    const directory = await writeLogDirectory(context);
    await seal(directory);
    const [parquet = '', other = ''] = closedFiles(directory, 'service_logs', '.parquet');
    damage(parquet, other);
    const { problems } = await verify(directory);
    assert.equal(problems.length, 1, problems.join('\n'));
    assert.ok(problems[0]?.includes(parquet), problems.join('\n'));
  });
}

function flipByte(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}

test('a segment that is sealed while it is being checked is no problem', async (context) => {
  const directory = await writeLogDirectory(context);
  let sealing: Promise<void> | undefined;
  // The list of segments is made before the first byte is read.
  const report = await verify(directory, () => {
    sealing ??= sealNow(directory);
  });
  await sealing;
  assert.deepEqual(report.problems, []);
  assert.ok(closedFiles(directory, 'service_logs', '.jsonl.gz').length > 1);
});

/** What the sealer does, in one step and for all segments. */
async function sealNow(directory: string): Promise<void> {
  for (const { path } of closedSegments(directory, 'service_logs')) {
    if (!existsSync(`${path}.jsonl`)) continue;
    const plain = readFileSync(`${path}.jsonl`);
    const bytes = gzipSync(plain);
    writeFileSync(`${path}.jsonl.gz`, bytes);
    const members = [[bytes.length, plain.length]];
    const sealed = { format: 'gzip', bytes: bytes.length, sha256: hashOf(bytes), members };
    alter(`${path}.meta.json`, (text) => JSON.stringify({ ...(JSON.parse(text) as object), sealed }));
    rmSync(`${path}.jsonl`);
  }
}

test('a topic that was created again is in order, also in the quarantine', async (context) => {
  const directory = temporaryDirectory(context);
  const harness = new WriterHarness(directory, { maxFileBytes: 100, bufferRecords: 1 });
  harness.append(unitOf(0, 100, [[], 'quarantined', []]));
  harness.writer.request({
    kind: 'skip',
    topic: TOPIC,
    partition: 0,
    from: 103,
    to: 0,
    reason: 'topic_recreated',
  });
  harness.append(unitOf(0, 0, [[], 'quarantined']), unitOf(0, 2, [[], []]));
  await harness.stop();
  const report = await verify(directory);
  assert.deepEqual(report.problems, []);
  assert.equal(report.partitions['logs/0']?.absent, 0);
});

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
