import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { DEFAULT_CATEGORY_RULES } from '../../../src/core/category-rules.ts';
import type { SealFormat } from '../../../src/core/seal-format.ts';
import { extendChecksum, formatChecksum } from '../../../src/storage/checksum.ts';
import type { SegmentFacts } from '../../../src/storage/facts.ts';
import { SEGMENT_SUFFIX, segmentBaseName } from '../../../src/storage/layout.ts';
import { StoredLineClassifier } from '../../../src/transform/stored-line-classifier.ts';
import { sealSegment } from '../../../src/upkeep/seal/seal-segment.ts';
import { queryParquet } from '../../helpers/parquet.ts';
import { sealOptions } from '../../helpers/sealer-harness.ts';
import { temporaryDirectory } from '../../helpers/temporary-directory.ts';

const NEVER = new AbortController().signal;

/** A closed segment of `service_logs` with these lines. */
function closedSegment(context: TestContext, lines: readonly string[]): { directory: string; path: string } {
  const directory = temporaryDirectory(context);
  mkdirSync(join(directory, 'state'));
  const path = join(directory, segmentBaseName('service_logs', 1, Date.UTC(2026, 10, 23)));
  mkdirSync(dirname(path), { recursive: true });
  const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
  const facts: SegmentFacts = {
    version: 1,
    file: 'service_logs',
    number: 1,
    instance: '',
    records: lines.length,
    bytes: bytes.length,
    crc32c: formatChecksum(extendChecksum(0, bytes)),
    opened_at: '2026-11-22T00:00:00.000Z',
    closed_at: '2026-11-23T00:00:00.000Z',
  };
  writeFileSync(path + SEGMENT_SUFFIX.plain, bytes);
  writeFileSync(path + SEGMENT_SUFFIX.facts, JSON.stringify(facts));
  return { directory, path };
}

async function seal(
  { directory, path }: { readonly directory: string; readonly path: string },
  format: SealFormat = 'gzip',
): Promise<void> {
  const options = sealOptions(directory, { format, level: 3 });
  const judge = () => new StoredLineClassifier(DEFAULT_CATEGORY_RULES, 1000);
  await sealSegment(path, { ...options, columns: { ...options.columns, judge } }, NEVER);
}

function line(second: number, rest: Readonly<Record<string, unknown>>): string {
  const timestamp = new Date(Date.UTC(2026, 10, 23, 9, 0, second, 7)).toISOString();
  return JSON.stringify({ timestamp, service: 'web', level: 'INFO', ...rest });
}

const TOOLS: Readonly<Record<SealFormat, readonly string[]>> = {
  gzip: ['gzip', '-dc'],
  zstd: ['zstd', '-dc'],
  lz4: ['lz4', '-dc'],
};

for (const [format, [tool = '', ...options]] of Object.entries(TOOLS) as [SealFormat, string[]][]) {
  test(`${format}: the format's own tool gives back the lines`, async (context) => {
    const lines = Array.from({ length: 30_000 }, (_, index) => line(index, { message: `request ${index}` }));
    const segment = closedSegment(context, lines);
    const plain = readFileSync(segment.path + SEGMENT_SUFFIX.plain);
    await seal(segment, format);
    const sealed = segment.path + SEGMENT_SUFFIX[format];
    const facts = JSON.parse(readFileSync(segment.path + SEGMENT_SUFFIX.facts, 'utf8')) as SegmentFacts;
    assert.equal(facts.sealed?.format, format);
    assert.ok(facts.sealed.members.length > 1);
    assert.ok(!existsSync(segment.path + SEGMENT_SUFFIX.plain));
    assert.deepEqual(readdirSync(join(segment.directory, 'state')), []);
    if (!isInstalled(tool)) return context.skip(`${tool} is not installed: its reading was not tried`);
    assert.ok(execFileSync(tool, [...options, sealed], { maxBuffer: 1e8 }).equals(plain));
    execFileSync(tool, ['-t', sealed], { stdio: 'ignore' });
  });
}

function isInstalled(tool: string): boolean {
  try {
    execFileSync('which', [tool]);
    return true;
  } catch {
    return false;
  }
}

/** Texts that a reader of JSON or of rows could take for something else. */
const TEXTS = [
  '',
  'plain',
  'quote " backslash \\ slash /',
  'line\nfeed\r\nand tab\t',
  'nul \u0000, unit separator \u001f, record separator \u001e, \u001e-, \u001en',
  'é, 😀, \u2028',
  '{"json":"in text"}',
  'NULL',
];

test('the sidecar has every text as it was, and `extra` byte by byte', async (context) => {
  const extras = [
    '{"a":1.50,"big":12345678901234567890,"huge":1e400,"zero":-0}',
    '{"escaped":"\\u00e9\\/\\ud83d","same":1,"same":2}',
    '{"nested":{"deep":[[[{}]]]},"":null}',
  ];
  const lines = TEXTS.flatMap((text, index) =>
    extras.map(
      (extra) => `${line(index, { message: text, request_id: text }).slice(0, -1)},"extra":${extra}}`,
    ),
  );
  const segment = closedSegment(context, lines);
  await seal(segment);
  const rows = await queryParquet(
    segment.path + SEGMENT_SUFFIX.columns,
    'SELECT message, request_id, correlation_id, extra FROM $file',
  );
  const expected = TEXTS.flatMap((text) =>
    extras.map((extra) => ({ message: text, request_id: text, correlation_id: null, extra })),
  );
  const ordered = (all: readonly unknown[]): string[] => all.map((row) => JSON.stringify(row)).toSorted();
  assert.deepEqual(ordered(rows), ordered(expected));
});

test('a lone surrogate costs the text one character, not the line its row', async (context) => {
  const text = `${line(1, {}).slice(0, -1)},"message":"half \\ud800 of a pair"}`;
  const segment = closedSegment(context, [text]);
  await seal(segment);
  const rows = await queryParquet(segment.path + SEGMENT_SUFFIX.columns, 'SELECT message FROM $file');
  assert.deepEqual(rows, [{ message: 'half \ufffd of a pair' }]);
});

test('rows are sorted by time, in small groups, with their categories', async (context) => {
  const lines = Array.from({ length: 50_000 }, (_, index) =>
    line(
      (index * 7919) % 50_000,
      index % 5 === 0 ? { level: 'ERROR', error_class: 'io' } : { extra: { took: 3 } },
    ),
  );
  const segment = closedSegment(context, lines);
  await seal(segment);
  const parquet = segment.path + SEGMENT_SUFFIX.columns;
  const [sorted] = await queryParquet(
    parquet,
    `SELECT count(*) FILTER (timestamp < before)::INT AS unsorted, min(timestamp)::VARCHAR AS first, count(*)::INT AS rows,
      count(*) FILTER (error_logs)::INT AS errors, count(*) FILTER (performance_logs)::INT AS performance,
      count(*) FILTER (audit_logs)::INT AS audit
      FROM (SELECT *, lag(timestamp) OVER (ORDER BY file_row_number) AS before FROM read_parquet($file, file_row_number = true))`,
  );
  assert.deepEqual(sorted, {
    unsorted: 0,
    first: '2026-11-23 09:00:00.007',
    rows: 50_000,
    errors: 10_000,
    performance: 40_000,
    audit: 0,
  });
  const [groups] = await queryParquet(
    parquet,
    'SELECT count(DISTINCT row_group_id)::INT AS groups, any_value(compression) AS compression FROM parquet_metadata($file)',
  );
  assert.deepEqual(groups, { groups: 3, compression: 'ZSTD' });
  const metadata = await queryParquet(
    parquet,
    'SELECT decode(key) AS key, decode(value) AS value FROM parquet_kv_metadata($file)',
  );
  const facts = JSON.parse(readFileSync(segment.path + SEGMENT_SUFFIX.facts, 'utf8')) as SegmentFacts;
  assert.deepEqual(Object.fromEntries(metadata.map(({ key, value }) => [key, value])), {
    segment: 'service_logs-20261123T000000.000Z-00000001',
    lines_crc32c: facts.crc32c,
  });
});

test('lines of many megabytes have rows', async (context) => {
  const long = 'x'.repeat(9_000_000);
  const segment = closedSegment(context, [
    line(1, { message: long }),
    line(2, { extra: { long } }),
    line(3, {}),
  ]);
  await seal(segment);
  const rows = await queryParquet(
    segment.path + SEGMENT_SUFFIX.columns,
    'SELECT coalesce(length(message), 0)::INT AS message, coalesce(length(extra), 0)::INT AS extra FROM $file',
  );
  assert.deepEqual(rows, [
    { message: long.length, extra: 0 },
    { message: 0, extra: long.length + 11 },
    { message: 0, extra: 0 },
  ]);
});

test('a line of another form is told, and the file stays as it is', async (context) => {
  const segment = closedSegment(context, [line(1, {}), '{"other":1}']);
  await assert.rejects(seal(segment), /holds 1 lines that are not of the form of service_logs/);
  assert.deepEqual(
    readdirSync(dirname(segment.path)).map((name) => name.replace(/^[^.]+\.[^.]+/, '')),
    ['.jsonl', '.meta.json'],
  );
});

test('sealing again in another format leaves one file', async (context) => {
  const segment = closedSegment(context, [line(1, {})]);
  writeFileSync(segment.path + SEGMENT_SUFFIX.gzip, 'of a try that a crash ended');
  await seal(segment, 'zstd');
  assert.ok(
    existsSync(segment.path + SEGMENT_SUFFIX.zstd) && !existsSync(segment.path + SEGMENT_SUFFIX.gzip),
  );
});

test('a segment that was sealed already, which nobody was told, is done', async (context) => {
  const segment = closedSegment(context, [line(1, {})]);
  await seal(segment);
  const before = readFileSync(segment.path + SEGMENT_SUFFIX.facts, 'utf8');
  await seal(segment, 'zstd');
  assert.equal(readFileSync(segment.path + SEGMENT_SUFFIX.facts, 'utf8'), before);
  assert.ok(!existsSync(segment.path + SEGMENT_SUFFIX.zstd));
});
