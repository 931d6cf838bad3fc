import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { SegmentFacts } from '../../src/storage/facts.ts';
import { closedSegments } from '../../src/storage/recovery.ts';
import { sealSegment } from '../../src/upkeep/seal/seal-segment.ts';
import { verify } from '../../src/upkeep/verify.ts';
import { contentOf, contentsOf } from '../helpers/directory-content.ts';
import { alter, writeLogDirectory } from '../helpers/log-directory.ts';
import { ANY_LINE, SealerHarness, sealOptions } from '../helpers/sealer-harness.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { unitOf } from '../helpers/write-units.ts';
import { WriterHarness } from '../helpers/writer-harness.ts';

/** One closed segment of about 2.5 MiB, with a line of its own length in every unit. */
async function writeLargeSegment(context: TestContext): Promise<{ directory: string; path: string }> {
  const directory = temporaryDirectory(context);
  const harness = new WriterHarness(directory, { maxFileBytes: 1, bufferRecords: 1_000_000 });
  const lines = Array.from({ length: 300 }, () => []);
  harness.append(unitOf(0, 0, lines, 9000), unitOf(0, 300, [[]]));
  await harness.stop();
  const [segment] = closedSegments(directory, 'service_logs');
  assert.ok(segment !== undefined);
  return { directory, path: segment.path };
}

test('closed segments become gzip files that any tool reads, and the plain ones go', async (context) => {
  const directory = await writeLogDirectory(context);
  const before = contentsOf(directory);
  const harness = new SealerHarness(directory);
  harness.sealAll();
  await harness.idle();
  assert.deepEqual(harness.failures, []);
  assert.deepEqual(contentsOf(directory), before);
  for (const { path, suffixes } of closedSegments(directory, 'service_logs')) {
    assert.deepEqual(suffixes.toSorted(), ['.jsonl.gz', '.meta.json', '.parquet']);
    const facts = JSON.parse(readFileSync(`${path}.meta.json`, 'utf8')) as SegmentFacts;
    const bytes = readFileSync(`${path}.jsonl.gz`);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const members = [[bytes.length, facts.bytes]];
    assert.deepEqual(facts.sealed, { format: 'gzip', bytes: bytes.length, sha256, members });
    assert.equal(facts.columns?.bytes, statSync(`${path}.parquet`).size);
  }
  assert.deepEqual((await verify(directory)).problems, []);
});

test('a large segment is joined from members of whole lines, which gzip and zcat accept', async (context) => {
  const { directory, path } = await writeLargeSegment(context);
  const plain = readFileSync(`${path}.jsonl`);
  const harness = new SealerHarness(directory);
  harness.add(path);
  await harness.idle();
  assert.deepEqual(harness.failures, []);
  const { sealed } = JSON.parse(readFileSync(`${path}.meta.json`, 'utf8')) as SegmentFacts;
  assert.ok((sealed?.members.length ?? 0) >= 3);
  let [storedEnd, plainEnd] = [0, 0];
  for (const [stored, plainBytes] of sealed?.members ?? []) {
    const member = readFileSync(`${path}.jsonl.gz`).subarray(storedEnd, storedEnd + stored);
    const lines = plain.subarray(plainEnd, plainEnd + plainBytes);
    assert.ok(gunzipSync(member).equals(lines));
    assert.equal(lines.at(-1), 0x0a);
    [storedEnd, plainEnd] = [storedEnd + stored, plainEnd + plainBytes];
  }
  execFileSync('gzip', ['-t', `${path}.jsonl.gz`]);
  assert.ok(execFileSync('zcat', [`${path}.jsonl.gz`], { maxBuffer: 1e8 }).equals(plain));
});

const LEFTOVERS: readonly (readonly [string, (path: string) => void])[] = [
  ['a half-written temporary file', (path) => writeFileSync(`${path}.jsonl.gz.tmp`, 'half')],
  [
    'both files, the facts not yet changed',
    (path) => writeFileSync(`${path}.jsonl.gz`, gzipSync(readFileSync(`${path}.jsonl`))),
  ],
  [
    'both files, the facts changed already',
    (path) => {
      writeFileSync(`${path}.jsonl.gz`, gzipSync(readFileSync(`${path}.jsonl`)));
      alter(`${path}.meta.json`, (text) =>
        JSON.stringify({
          ...(JSON.parse(text) as SegmentFacts),
          sealed: { format: 'gzip', bytes: 1, sha256: 'x' },
        }),
      );
    },
  ],
  ['half-written facts', (path) => writeFileSync(`${path}.meta.json.tmp`, '{')],
];

for (const [what, leave] of LEFTOVERS) {
  test(`a crash that left ${what} is made good by the next start`, async (context) => {
    const directory = await writeLogDirectory(context);
    const before = contentOf(directory, 'service_logs');
    for (const { path } of closedSegments(directory, 'service_logs')) leave(path);
    const harness = new SealerHarness(directory);
    harness.sealAll();
    await harness.idle();
    for (const { path, suffixes } of closedSegments(directory, 'service_logs')) {
      assert.ok(
        !suffixes.includes('.jsonl') && !suffixes.includes('.jsonl.gz.tmp'),
        `${path}: ${suffixes.join()}`,
      );
    }
    assert.equal(contentOf(directory, 'service_logs'), before);
    assert.deepEqual((await verify(directory)).problems, []);
  });
}

const WRONG: readonly (readonly [string, (path: string) => void, RegExp])[] = [
  [
    'changed since it was closed',
    (path) => alter(`${path}.jsonl`, (text) => text.replace('x', 'y')),
    /no longer is what was written/,
  ],
  [
    'short of a line',
    (path) => alter(`${path}.jsonl`, (text) => text.slice(text.indexOf('\n') + 1)),
    /no longer is/,
  ],
  ['without facts', (path) => rmSync(`${path}.meta.json`), /ENOENT/],
];

for (const [what, damage, message] of WRONG) {
  test(`a segment ${what} stays as it is, is told once, and leaves nothing half-done`, async (context) => {
    const { directory, path } = await writeLargeSegment(context);
    damage(path);
    const before = readFileSync(`${path}.jsonl`);
    const harness = new SealerHarness(directory);
    harness.add(path);
    await harness.idle();
    assert.equal(harness.failures.length, 1);
    assert.match(harness.failures[0] ?? '', message);
    assert.deepEqual(harness.retries, [null]);
    assert.ok(readFileSync(`${path}.jsonl`).equals(before));
    assert.ok(!existsSync(`${path}.jsonl.gz`) && !existsSync(`${path}.jsonl.gz.tmp`));
  });
}

test('a compressed file that the disk changed is thrown away, and the plain one stays', async (context) => {
  const { directory, path } = await writeLargeSegment(context);
  const lines = countLines(`${path}.jsonl`);
  let judged = 0;
  const judge = (): boolean => {
    judged += 1;
    if (judged === lines) flipByte(`${path}.jsonl.gz.tmp`);
    return true;
  };
  const options = sealOptions(directory);
  const columns = { ...options.columns, judge: () => ({ ...ANY_LINE, judge }) };
  const harness = new SealerHarness(directory, {
    seal: (segment, signal) => sealSegment(segment, { ...options, columns }, signal),
    pauses: { firstMs: 60_000, maxMs: 60_000 },
  });
  harness.add(path);
  while (harness.failures.length === 0) await sleep(2);
  assert.match(harness.failures.join(), /does not read back as it was written/);
  assert.ok(existsSync(`${path}.jsonl`) && !existsSync(`${path}.jsonl.gz`));
  await harness.sealer.stop();
});

function flipByte(path: string): void {
  const descriptor = openSync(path, 'r+');
  const byte = Buffer.alloc(1);
  readSync(descriptor, byte, 0, 1, 100);
  writeSync(descriptor, Buffer.of((byte[0] ?? 0) ^ 1), 0, 1, 100);
  closeSync(descriptor);
}

function countLines(path: string): number {
  return readFileSync(path, 'utf8').split('\n').length - 1;
}

test('segments without facts are not touched at the start: their rotation is not finished', async (context) => {
  const { directory, path } = await writeLargeSegment(context);
  renameSync(`${path}.meta.json`, `${path}.elsewhere`);
  const harness = new SealerHarness(directory);
  harness.sealAll();
  assert.equal(harness.waiting.size, 0);
  assert.ok(existsSync(`${path}.jsonl`));
});

test('a stop leaves what is not begun, and takes nothing more', async (context) => {
  const directory = await writeLogDirectory(context);
  const harness = new SealerHarness(directory, { concurrency: 1 });
  harness.sealAll();
  await harness.sealer.stop();
  const [segment] = closedSegments(directory, 'service_logs');
  harness.add(segment?.path ?? '');
  await sleep(20);
  assert.ok(harness.sealed.length <= 1);
  assert.deepEqual(harness.failures, []);
  assert.deepEqual((await verify(directory)).problems, []);
});
