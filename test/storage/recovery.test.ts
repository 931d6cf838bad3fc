import assert from 'node:assert/strict';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type ErrorCode, ServiceError } from '../../src/core/errors.ts';
import {
  type ActiveFileCheckpoint,
  type Checkpoint,
  encodeCheckpoint,
} from '../../src/storage/checkpoint.ts';
import { extendChecksum, formatChecksum } from '../../src/storage/checksum.ts';
import { NO_FACTS, NO_TOTALS, type SegmentFacts } from '../../src/storage/facts.ts';
import { closedSegments, prepareDirectories, recover } from '../../src/storage/recovery.ts';
import { hookFileSystem } from '../helpers/file-system-hook.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

const LINES = '{"a":1}\n{"a":2}\n';
const BASE = 'archive/service_logs/date=2026-11-23/service_logs-20261123T090000.000Z-00000003';

function activeOf(number: number, text: string): ActiveFileCheckpoint {
  return {
    number,
    opened_at: '2026-11-23T09:00:00.000Z',
    length: text.length,
    crc32c: formatChecksum(extendChecksum(0, Buffer.from(text))),
    records: text.split('\n').length - 1,
    facts: NO_FACTS,
    start_offsets: {},
    totals: NO_TOTALS,
  };
}

function checkpointOf(sequence: number, changes: Partial<Checkpoint> = {}): Checkpoint {
  return {
    version: 2,
    instance: 'a',
    directory_id: 'd',
    sequence,
    acknowledged: Math.max(0, sequence - 1),
    written_at: '2026-11-23T09:00:00.000Z',
    partitions: {},
    files: { service_logs: activeOf(3, LINES) },
    pending_renames: [],
    pending_returns: [],
    ...changes,
  };
}

/** Segment 3 was closed by this checkpoint; its rename may or may not have happened. */
function rotating(sequence: number): Checkpoint {
  const { number, records, length, crc32c, opened_at } = activeOf(3, LINES);
  const facts: SegmentFacts = {
    version: 1,
    file: 'service_logs',
    number,
    instance: 'a',
    records,
    bytes: length,
    crc32c,
    opened_at,
    closed_at: opened_at,
  };
  return checkpointOf(sequence, {
    files: { service_logs: activeOf(4, '') },
    pending_renames: [{ file: 'service_logs', base: BASE, facts }],
  });
}

interface Place {
  readonly directory: string;
  readonly active: string;
  state(name: string): string;
  archived(suffix: string): string;
}

function place(context: TestContext, checkpoint: Checkpoint | undefined, lines = LINES): Place {
  const directory = temporaryDirectory(context);
  prepareDirectories(directory);
  const active = join(directory, 'service_logs.jsonl');
  const state = (name: string): string => join(directory, 'state', name);
  writeFileSync(active, lines);
  if (checkpoint !== undefined) writeFileSync(state('checkpoint.json'), encodeCheckpoint(checkpoint));
  return { directory, active, state, archived: (suffix) => join(directory, BASE + suffix) };
}

function refuses(directory: string, code: ErrorCode): void {
  const before = snapshotOf(directory);
  assert.throws(
    () => recover(directory, 'a', 0),
    (error) => error instanceof ServiceError && error.code === code,
  );
  assert.deepEqual(snapshotOf(directory), before, 'a refusal leaves every file as it was');
}

/** The paths of what was synced meanwhile. */
function syncsDuring(context: TestContext, action: () => void): string[] {
  const synced: string[] = [];
  const release = hookFileSystem((call, target) => {
    if (call === 'fsyncSync') synced.push(readlinkSync(`/proc/self/fd/${String(target)}`));
  });
  context.after(release);
  action();
  release();
  return synced;
}

/** Every file below a directory with its content. */
function snapshotOf(directory: string): Record<string, string> {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return Object.fromEntries(
    files
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path, readFileSync(path, 'latin1')]),
  );
}

test('an empty directory gets a first checkpoint, once', (context) => {
  const directory = temporaryDirectory(context);
  prepareDirectories(directory);
  const first = recover(directory, 'a', Date.UTC(2026, 0, 1));
  assert.deepEqual([first.checkpoint.sequence, first.checkpoint.instance], [0, 'a']);
  assert.deepEqual(first.actions, [{ kind: 'initialised', file: 'checkpoint.json', bytes: 0 }]);
  assert.deepEqual(recover(directory, 'a', 0).actions, []);
});

test('lines without a checkpoint are refused', (context) => {
  refuses(place(context, undefined).directory, 'CHECKPOINT_CORRUPT');
});

test('closed segments without a checkpoint are refused as well', (context) => {
  const { directory, active, archived } = place(context, undefined, '');
  rmSync(active);
  mkdirSync(join(archived(''), '..'), { recursive: true });
  writeFileSync(archived('.jsonl'), LINES);
  refuses(directory, 'CHECKPOINT_CORRUPT');
});

test('what lies beyond the checkpoint is cut, in files it does not know too', (context) => {
  const { directory, active } = place(context, checkpointOf(5), `${LINES}{"a":3}\n{"to`);
  writeFileSync(join(directory, 'audit_logs.jsonl'), '{"b":1}\n');
  const { actions, checkpoint } = recover(directory, 'a', 0);
  assert.equal(checkpoint.sequence, 5);
  assert.equal(readFileSync(active, 'utf8'), LINES);
  assert.equal(readFileSync(join(directory, 'audit_logs.jsonl'), 'utf8'), '');
  assert.deepEqual(actions, [
    { kind: 'cut', file: 'service_logs', bytes: 12 },
    { kind: 'cut', file: 'audit_logs', bytes: 8 },
  ]);
  const before = snapshotOf(directory);
  assert.deepEqual(recover(directory, 'a', 0).actions, []);
  assert.deepEqual(snapshotOf(directory), before);
});

test('a file shorter than the checkpoint says, or gone, is refused', (context) => {
  const short = place(context, checkpointOf(5));
  truncateSync(short.active, LINES.length - 1);
  refuses(short.directory, 'FILE_CORRUPT');
  const gone = place(context, checkpointOf(5));
  rmSync(gone.active);
  refuses(gone.directory, 'FILE_CORRUPT');
});

const CRASH_POINTS: readonly (readonly [string, (place: Place) => void])[] = [
  ['before the rename', () => undefined],
  [
    'before the rename, with bytes that were never acknowledged',
    ({ active }) => writeFileSync(active, `${LINES}{"torn`),
  ],
  [
    'after the directory was made',
    ({ archived }) => mkdirSync(join(archived(''), '..'), { recursive: true }),
  ],
  ['after the rename, before the facts', (at) => archive(at)],
  [
    'while the facts were written',
    (at) => {
      archive(at);
      writeFileSync(at.archived('.meta.json.tmp'), '{"versi');
    },
  ],
  [
    'after new lines came into the next segment',
    (at) => {
      archive(at);
      writeFileSync(at.active, '{"new":1}\n');
    },
  ],
];

function archive({ active, archived }: Place): void {
  mkdirSync(join(archived(''), '..'), { recursive: true });
  renameSync(active, archived('.jsonl'));
}

for (const [when, prepare] of CRASH_POINTS) {
  test(`a rotation that stopped ${when} is finished, and running it again changes nothing`, (context) => {
    const at = place(context, rotating(9));
    prepare(at);
    recover(at.directory, 'a', 0);
    assert.equal(readFileSync(at.archived('.jsonl'), 'utf8'), LINES);
    assert.deepEqual(
      JSON.parse(readFileSync(at.archived('.meta.json'), 'utf8')),
      rotating(9).pending_renames[0]?.facts,
    );
    assert.equal(existsSync(at.active) ? readFileSync(at.active, 'utf8') : '', '');
    const before = snapshotOf(at.directory);
    assert.deepEqual(recover(at.directory, 'a', 0).actions, []);
    assert.deepEqual(snapshotOf(at.directory), before);
  });
}

test('a rotation whose segment was sealed already is left alone', (context) => {
  const at = place(context, rotating(9));
  archive(at);
  rmSync(at.archived('.jsonl'));
  writeFileSync(at.archived('.jsonl.gz'), gzipSync(LINES));
  writeFileSync(at.archived('.meta.json'), '{"sealed":{}}');
  writeFileSync(at.active, '{"new":1}\n');
  recover(at.directory, 'a', 0);
  assert.ok(!existsSync(at.archived('.jsonl')));
  assert.equal(readFileSync(at.archived('.meta.json'), 'utf8'), '{"sealed":{}}');
  assert.equal(readFileSync(at.active, 'utf8'), '');
});

test('a pending rename whose file lost bytes is refused', (context) => {
  const at = place(context, rotating(9));
  truncateSync(at.active, 3);
  assert.throws(
    () => recover(at.directory, 'a', 0),
    (error) => error instanceof ServiceError && error.code === 'FILE_CORRUPT',
  );
  assert.equal(readFileSync(at.active, 'utf8').length, 3);
});

test('a damaged checkpoint gives way to the one before, and is kept for inspection', (context) => {
  const at = place(context, checkpointOf(5), `${LINES}{"a":3}\n`);
  renameSync(at.state('checkpoint.json'), at.state('checkpoint.prev.json'));
  writeFileSync(at.state('checkpoint.json'), 'bits flipped');
  const { checkpoint, actions } = recover(at.directory, 'a', 0);
  assert.equal(checkpoint.sequence, 5);
  assert.deepEqual(
    actions.map(({ kind }) => kind),
    ['fell_back', 'cut'],
  );
  assert.equal(readFileSync(at.state('checkpoint.json.damaged'), 'utf8'), 'bits flipped');
  assert.deepEqual(recover(at.directory, 'a', 0).actions, []);
});

test('the checkpoint before is refused when a file was rotated since', (context) => {
  const at = place(context, checkpointOf(5));
  renameSync(at.state('checkpoint.json'), at.state('checkpoint.prev.json'));
  writeFileSync(at.state('checkpoint.json'), 'bits flipped');
  archive(at);
  refuses(at.directory, 'CHECKPOINT_CORRUPT');
  rmSync(at.archived('.jsonl'));
  writeFileSync(at.archived('.jsonl.gz'), gzipSync(LINES));
  refuses(at.directory, 'CHECKPOINT_CORRUPT');
});

test('the checkpoint before may itself have closed the segment that is in the archive', (context) => {
  const at = place(context, rotating(9));
  renameSync(at.state('checkpoint.json'), at.state('checkpoint.prev.json'));
  writeFileSync(at.state('checkpoint.json'), 'bits flipped');
  archive(at);
  assert.equal(recover(at.directory, 'a', 0).checkpoint.sequence, 9);
});

test('all checkpoints damaged is refused', (context) => {
  const { directory, state } = place(context, checkpointOf(5));
  cpSync(state('checkpoint.json'), state('checkpoint.prev.json'));
  truncateSync(state('checkpoint.json'), 20);
  truncateSync(state('checkpoint.prev.json'), 20);
  refuses(directory, 'CHECKPOINT_CORRUPT');
});

test('a checkpoint that is complete under its temporary name counts', (context) => {
  const { directory, state } = place(context, checkpointOf(5));
  renameSync(state('checkpoint.json'), state('checkpoint.prev.json'));
  writeFileSync(state('checkpoint.json.tmp'), encodeCheckpoint(checkpointOf(6)));
  assert.equal(recover(directory, 'a', 0).checkpoint.sequence, 6);
  assert.ok(existsSync(state('checkpoint.json')));
  assert.deepEqual(recover(directory, 'a', 0).actions, []);
});

test('the checkpoint that Kafka took stays where the newer one was only under its temporary name', (context) => {
  const { directory, state } = place(context, checkpointOf(5));
  writeFileSync(state('checkpoint.json.tmp'), encodeCheckpoint(checkpointOf(6)));
  for (const start of ['first', 'second']) {
    const { checkpoint, acknowledged } = recover(directory, 'a', 0);
    assert.deepEqual([start, checkpoint.sequence, acknowledged.sequence], [start, 6, 5]);
  }
});

test('a roll-back that is complete under its temporary name only is gone through with', (context) => {
  const at = place(context, rotating(9));
  archive(at);
  const decision = checkpointOf(10, {
    acknowledged: 10,
    pending_returns: [{ file: 'service_logs', base: BASE }],
  });
  writeFileSync(at.state('checkpoint.json.tmp'), encodeCheckpoint(decision));
  const { checkpoint, acknowledged } = recover(at.directory, 'a', 0);
  assert.deepEqual([checkpoint.sequence, acknowledged.sequence], [10, 10]);
  assert.equal(readFileSync(at.active, 'utf8'), LINES);
});

test('a torn temporary checkpoint is ignored', (context) => {
  const { directory, state } = place(context, checkpointOf(5));
  writeFileSync(state('checkpoint.json.tmp'), encodeCheckpoint(checkpointOf(6)).slice(0, 40));
  assert.equal(recover(directory, 'a', 0).checkpoint.sequence, 5);
});

test('a temporary checkpoint that was given up cannot come back after the files were cut', (context) => {
  const { directory, state } = place(context, checkpointOf(5));
  writeFileSync(state('checkpoint.json.tmp'), encodeCheckpoint(checkpointOf(4)));
  recover(directory, 'a', 0);
  assert.ok(!existsSync(state('checkpoint.json.tmp')));
});

test('a cut that a crash may have undone is made durable again', (context) => {
  const { directory } = place(context, checkpointOf(5));
  const calls = syncsDuring(context, () => recover(directory, 'a', 0));
  assert.ok(calls.includes(join(directory, 'service_logs.jsonl')), calls.join('\n'));
});

test('the names of an output directory and of all directories above it are durable', (context) => {
  const parent = temporaryDirectory(context);
  const directory = join(parent, 'instances', 'a');
  mkdirSync(directory, { recursive: true });
  const calls = syncsDuring(context, () => prepareDirectories(directory));
  for (const above of [directory, join(parent, 'instances'), parent, dirname(parent)]) {
    assert.ok(calls.includes(above), `${above} is not among\n${calls.join('\n')}`);
  }
});

test('closed segments are listed by number, with what exists of each', (context) => {
  const { directory } = place(context, undefined, '');
  const day = (date: string): string => join(directory, 'archive/service_logs', `date=${date}`);
  for (const date of ['2026-11-22', '2026-11-23']) mkdirSync(day(date), { recursive: true });
  // The clock was set back between the two.
  writeFileSync(join(day('2026-11-23'), 'service_logs-20261123T000000.000Z-00000009.jsonl'), '');
  writeFileSync(join(day('2026-11-22'), 'service_logs-20261122T000000.000Z-00000010.jsonl.gz'), '');
  writeFileSync(join(day('2026-11-22'), 'service_logs-20261122T000000.000Z-00000010.meta.json'), '');
  writeFileSync(join(day('2026-11-22'), 'notes.txt'), '');
  assert.deepEqual(
    closedSegments(directory, 'service_logs').map(({ number, suffixes }) => ({ number, suffixes })),
    [
      { number: 9, suffixes: ['.jsonl'] },
      { number: 10, suffixes: ['.jsonl.gz', '.meta.json'] },
    ],
  );
});
