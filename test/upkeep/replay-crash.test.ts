/**
 * What a replay leaves that is killed at any of its calls to the file system, beside a service or not: the
 * files are copied aside just before the call. In every copy the next replay has to store each record
 * that is accepted exactly once, whatever was stored before.
 */
import assert from 'node:assert/strict';
import { cpSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { parseReplaySegmentName } from '../../src/storage/layout.ts';
import { lockReplay } from '../../src/storage/lock.ts';
import { loadReplayJournal } from '../../src/storage/replay-journal.ts';
import { verify } from '../../src/upkeep/verify.ts';
import { copiesDuring } from '../helpers/directory-copies.ts';
import { hookFileSystem, systemError } from '../helpers/file-system-hook.ts';
import {
  ingest,
  NARROW,
  type PartitionBatches,
  replayWide,
  storedLines,
  WIDE,
} from '../helpers/quarantined-directory.ts';
import type { TestBatch, TestRecord } from '../helpers/record-batch-builder.ts';
import { SealerHarness } from '../helpers/sealer-harness.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

const RECORDS: readonly TestRecord[] = [
  { value: '{"level":"info","message":"small"}' },
  { value: `{"level":"error","message":"large","pad":"${'x'.repeat(100)}"}` },
  { value: 'no json' },
  { value: `{"level":"info","message":"large too","duration_ms":5,"pad":"${'x'.repeat(100)}"}` },
];

const BATCHES: readonly PartitionBatches[] = [0, 1].map((partition) => ({
  partition,
  batches: Array.from({ length: 3 }, (): TestBatch => ({ records: RECORDS })),
}));

const FILES = ['service_logs', 'error_logs', 'performance_logs'] as const;
/** A copy with whole segments that no run lists, which the next replay has to remove. */
const INTERRUPTED_AGAIN = 16;
/** Two runs for a replay of all. */
const MAX_FILE_BYTES = 1000;

interface Scene {
  readonly parent: string;
  readonly directory: string;
  /** The lines of each of FILES that have to be there in the end. */
  readonly wanted: readonly (readonly string[])[];
}

async function scene(context: TestContext): Promise<Scene> {
  const parent = temporaryDirectory(context);
  const [directory, other] = [join(parent, 'files'), join(parent, 'wanted')];
  await ingest(directory, BATCHES, NARROW, { maxFileBytes: 600, bufferRecords: 1 });
  await ingest(other, BATCHES, WIDE);
  return { parent, directory, wanted: contentsOf(other) };
}

function contentsOf(directory: string): string[][] {
  return FILES.map((file) => storedLines(directory, file));
}

/** Replays, copying the directory aside before every call that finds it changed. */
function copiesOfReplay({ parent, directory }: Scene, name: string): Promise<string[]> {
  return copiesDuring(directory, join(parent, name), () =>
    replayWide(directory, { maxFileBytes: MAX_FILE_BYTES }),
  );
}

async function check(copy: string, { wanted }: Scene): Promise<void> {
  assert.deepEqual((await verify(copy)).problems, [], 'an interrupted replay is no problem');
  await replayWide(copy, { maxFileBytes: MAX_FILE_BYTES });
  assert.deepEqual(contentsOf(copy), wanted);
  assert.deepEqual(leftovers(copy), []);
  assert.deepEqual((await verify(copy)).problems, []);
  const { stored, segments } = await replayWide(copy, { maxFileBytes: MAX_FILE_BYTES });
  assert.deepEqual([stored, segments], [0, []]);
}

/** Files of the replay series that no run lists, temporary ones included. */
function leftovers(directory: string): string[] {
  const listed = new Set(
    loadReplayJournal(directory).runs.flatMap(({ segments }) =>
      segments.flatMap(({ base }) => [`${base}.jsonl`, `${base}.meta.json`]),
    ),
  );
  return readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter(
    (path) =>
      parseReplaySegmentName(path.slice(path.lastIndexOf('/') + 1)) !== undefined && !listed.has(path),
  );
}

test('killed before any of its calls, and once more in the replay after that', async (context) => {
  const it = await scene(context);
  const copies = await copiesOfReplay(it, 'killed');
  assert.ok(copies.length > 30, `only ${copies.length} calls`);
  assert.ok(
    copies.some((copy) => leftovers(copy).some((path) => path.endsWith('.meta.json'))),
    'some were killed with whole segments that no run lists',
  );
  assert.ok(
    copies.some((copy) => loadReplayJournal(copy).runs.length === 1),
    'some were killed between two runs',
  );
  assert.ok(leftovers(copies[INTERRUPTED_AGAIN] ?? '').length > 2, 'there is something to remove');
  for (const [index, copy] of copies.entries()) {
    if (index === INTERRUPTED_AGAIN) {
      const again = { ...it, directory: `${copy}-again` };
      cpSync(copy, again.directory, { recursive: true });
      for (const second of await copiesOfReplay(again, `again-${index}`)) await check(second, it);
    }
    await check(copy, it).catch((error: unknown) => {
      throw new Error(`killed before ${copy}`, { cause: error });
    });
  }
});

test('a call that fails, at random, leaves nothing that counts', async (context) => {
  const it = await scene(context);
  const calls = await callsOfReplay(cloned(it, 'count'));
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: calls }), async (at) => {
      runs += 1;
      const directory = cloned(it, `failed-${runs}`);
      let call = 0;
      const release = hookFileSystem(() => {
        call += 1;
        if (call === at) throw systemError('ENOSPC');
      });
      await replayWide(directory, { maxFileBytes: MAX_FILE_BYTES })
        // The clean-up on the way out may be what fails; whatever it is, it is said.
        .catch((error: unknown) => assert.ok(error instanceof Error))
        .finally(release);
      await check(directory, it);
    }),
    { numRuns: 15 },
  );
});

test('a full disk is said in one sentence', async (context) => {
  const { directory } = await scene(context);
  const release = hookFileSystem((call, target) => {
    if (call === 'openSync' && String(target).endsWith('.jsonl.tmp')) throw systemError('ENOSPC');
  });
  await assert
    .rejects(replayWide(directory), {
      code: 'WRITE_FAILED',
      message: /nothing of the unfinished part is stored/,
    })
    .finally(release);
  assert.ok(!existsSync(join(directory, 'state/replay.json')));
});

test('a compression that goes on meanwhile does not disturb it', async (context) => {
  const it = await scene(context);
  const { directory, wanted } = it;
  const harness = new SealerHarness(directory);
  harness.sealAll();
  await replayWide(directory, { maxFileBytes: MAX_FILE_BYTES });
  await harness.idle();
  assert.deepEqual(harness.failures, []);
  assert.deepEqual(contentsOf(directory), wanted);
});

test('two replays at the same time: the second is refused', async (context) => {
  const { directory } = await scene(context);
  const lock = lockReplay(directory);
  await assert.rejects(replayWide(directory), {
    code: 'DIRECTORY_LOCKED',
    message: /is being replayed by process \d+ on /,
  });
  assert.equal((await replayWide(directory, { dryRun: true })).stored, 12);
  lock.release();
  assert.equal((await replayWide(directory)).stored, 12);
});

async function callsOfReplay(directory: string): Promise<number> {
  let calls = 0;
  const release = hookFileSystem(() => {
    calls += 1;
  });
  await replayWide(directory, { maxFileBytes: MAX_FILE_BYTES }).finally(release);
  return calls;
}

function cloned({ parent, directory }: Scene, name: string): string {
  const clone = join(parent, name);
  cpSync(directory, clone, { recursive: true });
  return clone;
}
