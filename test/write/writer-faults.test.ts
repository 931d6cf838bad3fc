import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readlinkSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadCheckpoint } from '../../src/storage/checkpoint.ts';
import { recover } from '../../src/storage/recovery.ts';
import { contentOf, contentsOf } from '../helpers/directory-content.ts';
import { type FileSystemHook, hookFileSystem, systemError } from '../helpers/file-system-hook.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { lineOf, unitOf } from '../helpers/write-units.ts';
import { WriterHarness } from '../helpers/writer-harness.ts';

function hooked(context: TestContext, hook: FileSystemHook): void {
  context.after(hookFileSystem(hook));
}

/** The file behind a path or descriptor. */
function nameOf(target: unknown): string {
  return basename(typeof target === 'number' ? readlinkSync(`/proc/self/fd/${target}`) : String(target));
}

function linesOf(count: number): string {
  return Array.from({ length: count }, (_, offset) => lineOf(0, offset)).join('');
}

test('a checkpoint speaks of bytes only after they are durable, and counts only once it is itself', async (context) => {
  const directory = temporaryDirectory(context);
  const calls: string[] = [];
  const harness = new WriterHarness(directory);
  hooked(context, (call, target) => {
    calls.push(`${call} ${nameOf(target)}`);
  });
  harness.append(unitOf(0, 0, [['audit_logs']]));
  await harness.stop();
  assert.deepEqual(calls.slice(0, 4).sort(), [
    'fdatasync audit_logs.jsonl',
    'fdatasync service_logs.jsonl',
    'writevSync audit_logs.jsonl',
    'writevSync service_logs.jsonl',
  ]);
  assert.deepEqual(
    calls.slice(4).filter((call) => !call.startsWith('closeSync')),
    [
      'open checkpoint.json.tmp',
      'writeFile checkpoint.json.tmp',
      'sync checkpoint.json.tmp',
      'rename checkpoint.json',
      'rename checkpoint.json.tmp',
      'open state',
      'sync state',
    ],
  );
});

test('only files with new lines are made durable again', async (context) => {
  const directory = temporaryDirectory(context);
  const harness = new WriterHarness(directory, { checkpointIntervalMs: 5 });
  harness.append(unitOf(0, 0, [['audit_logs']]));
  await harness.wait('checkpointed');
  const synced: string[] = [];
  hooked(context, (call, target) => {
    if (call === 'fdatasync') synced.push(nameOf(target));
  });
  harness.append(unitOf(0, 1, ['quarantined']));
  await harness.wait('checkpointed', 2);
  await harness.stop();
  assert.deepEqual(synced, ['quarantine.jsonl']);
});

test('nothing is written after the stop, however long its checkpoint took', async (context) => {
  const directory = temporaryDirectory(context);
  const harness = new WriterHarness(directory, { checkpointIntervalMs: 20 });
  hooked(context, (call) => {
    if (call !== 'fdatasync') return undefined;
    // Meanwhile a checkpoint comes due, and the file is old enough to be rotated.
    harness.clock.offsetMs = 24 * 3_600_000;
    return sleep(100);
  });
  harness.append(unitOf(0, 0, [[]]));
  harness.writer.request({ kind: 'stop' });
  await harness.wait('stopped');
  await sleep(50);
  assert.deepEqual(
    harness.events.map(({ kind }) => kind),
    ['ready', 'released', 'checkpointed', 'stopped'],
  );
});

test('a rotation is durable on both sides of its rename before it counts as done', async (context) => {
  const directory = temporaryDirectory(context);
  const harness = new WriterHarness(directory, { maxFileBytes: 1, bufferRecords: 1 });
  harness.append(unitOf(0, 0, [[]]));
  await harness.wait('released');
  const calls: string[] = [];
  const release = hookFileSystem((call, target) => {
    calls.push(`${call} ${nameOf(target)}`);
  });
  harness.append(unitOf(0, 1, [[]]));
  await harness.wait('rotated');
  release();
  await harness.stop();
  const checkpointed = calls.indexOf('sync state');
  const segment = basename(harness.of('rotated')[0]?.path ?? '');
  const day = `date=${segment.slice(13, 17)}-${segment.slice(17, 19)}-${segment.slice(19, 21)}`;
  const after = calls.slice(checkpointed + 1);
  const renamed = after.indexOf('renameSync service_logs.jsonl');
  const targetSynced = after.indexOf(`fsyncSync ${day}`, renamed);
  const sourceSynced = after.indexOf(`fsyncSync ${basename(directory)}`, renamed);
  const factsSynced = after.indexOf(`fsyncSync ${segment}.meta.json.tmp`);
  const factsRenamed = after.indexOf(`renameSync ${segment}.meta.json.tmp`);
  const factsNamed = after.indexOf(`fsyncSync ${day}`, factsRenamed);
  const opened = after.indexOf('openSync service_logs.jsonl', factsNamed);
  const openedNamed = after.indexOf(`fsyncSync ${basename(directory)}`, opened);
  const order = [
    0,
    renamed,
    targetSynced,
    sourceSynced,
    factsSynced,
    factsRenamed,
    factsNamed,
    opened,
    openedNamed,
  ];
  assert.deepEqual(
    order,
    order.toSorted((left, right) => left - right),
    after.join('\n'),
  );
  assert.ok(!order.includes(-1), after.join('\n'));
});

test('a full disk tears nothing: the writer says so, waits, and goes on by itself', async (context) => {
  const directory = temporaryDirectory(context);
  const harness = new WriterHarness(directory, { bufferRecords: 2 });
  harness.append(unitOf(0, 0, [[], []]));
  await harness.wait('released');
  let full = true;
  let writes = 0;
  hooked(context, (call) => {
    if (call !== 'writevSync' || !full) return undefined;
    writes += 1;
    // The last bytes that fit are written, also of a second file, and then there is no room.
    if (writes % 2 === 1) return 5;
    throw systemError('ENOSPC');
  });
  harness.append(unitOf(0, 2, [['error_logs'], ['error_logs']]));
  assert.match((await harness.wait('blocked')).reason, /ENOSPC/);
  assert.equal(contentOf(directory, 'service_logs'), linesOf(2));
  full = false;
  await harness.wait('unblocked');
  await harness.stop();
  assert.equal(contentOf(directory, 'service_logs'), linesOf(4));
  assert.equal(contentOf(directory, 'error_logs'), lineOf(0, 2) + lineOf(0, 3));
  assert.equal(harness.of('blocked').length, 1);
  assert.equal(loadCheckpoint(directory)?.checkpoint.partitions['logs/0']?.next_offset, 4);
});

test('short writes are finished', async (context) => {
  const directory = temporaryDirectory(context);
  const harness = new WriterHarness(directory, { bufferRecords: 100 });
  let writes = 0;
  hooked(context, (call) => {
    if (call !== 'writevSync') return undefined;
    writes += 1;
    return writes;
  });
  for (let offset = 0; offset < 20; offset += 1) harness.append(unitOf(0, offset, [[]]));
  await harness.stop();
  assert.equal(contentOf(directory, 'service_logs'), linesOf(20));
  assert.ok(writes > 10);
});

test('files that cannot be cut back after a failed write stop the writer', async (context) => {
  const directory = temporaryDirectory(context);
  const harness = new WriterHarness(directory, { bufferRecords: 1 });
  harness.append(unitOf(0, 0, [[]]));
  await harness.wait('released');
  let writes = 0;
  const release = hookFileSystem((call) => {
    if (call === 'ftruncateSync') throw systemError('ENOSPC');
    if (call !== 'writevSync') return undefined;
    writes += 1;
    if (writes === 1) return 5;
    if (writes === 2) throw systemError('ENOSPC');
    return undefined;
  });
  context.after(release);
  harness.append(unitOf(0, 1, [[]]));
  assert.equal((await harness.wait('failed')).error.code, 'WRITE_FAILED');
  release();
  recover(directory, 'test', 0);
  assert.match(contentOf(directory, 'service_logs'), /^(\{[^\n]*\}\n)*$/);
});

test('no room for the checkpoint: the lines wait, and the checkpoint comes by itself', async (context) => {
  const directory = temporaryDirectory(context);
  const harness = new WriterHarness(directory, { checkpointIntervalMs: 10 });
  let full = true;
  hooked(context, (call, target) => {
    if (full && call === 'writeFile' && nameOf(target) === 'checkpoint.json.tmp') throw systemError('EDQUOT');
  });
  harness.append(unitOf(0, 0, [[]]));
  await harness.wait('blocked');
  assert.equal(loadCheckpoint(directory)?.checkpoint.sequence, 0);
  full = false;
  await harness.wait('unblocked');
  assert.equal((await harness.wait('checkpointed')).sequence, 1);
  await harness.stop();
});

test('no room in the middle of a rotation: it is finished later, and no other file is closed', async (context) => {
  const directory = temporaryDirectory(context);
  const harness = new WriterHarness(directory, { maxFileBytes: 1, bufferRecords: 1 });
  harness.append(unitOf(0, 0, [[]]));
  await harness.wait('released');
  let refusals = 1;
  const bystanders: number[] = [];
  context.after(() => bystanders.forEach(closeSync));
  hooked(context, (call, target) => {
    if (call !== 'openSync' || nameOf(target) !== 'service_logs.jsonl' || refusals === 0) return;
    refusals -= 1;
    // Somebody else takes the next free descriptors, as the connections to Kafka would.
    setImmediate(() => bystanders.push(openSync('/dev/null', 'r'), openSync('/dev/null', 'r')));
    throw systemError('ENOSPC');
  });
  harness.append(unitOf(0, 1, [[]]));
  await harness.wait('unblocked');
  await harness.stop();
  assert.equal(contentOf(directory, 'service_logs'), linesOf(2));
  for (const descriptor of bystanders) assert.equal(readlinkSync(`/proc/self/fd/${descriptor}`), '/dev/null');
});

test('a checkpoint that is tried again does not push out the one that Kafka took', async (context) => {
  const directory = temporaryDirectory(context);
  const harness = new WriterHarness(directory, { checkpointIntervalMs: 10 }, 'silent');
  let full = true;
  hooked(context, (call, target) => {
    // The last step, when the new checkpoint has its name already.
    if (full && call === 'open' && nameOf(target) === 'state') throw systemError('ENOSPC');
  });
  harness.append(unitOf(0, 0, [[]]));
  await harness.wait('blocked');
  full = false;
  await harness.wait('checkpointed');
  const loaded = loadCheckpoint(directory);
  assert.deepEqual([loaded?.checkpoint.sequence, loaded?.acknowledged?.sequence], [1, 0]);
  await harness.stop();
});

test('while anything still waits for room, nothing says that all is well', async (context) => {
  const harness = new WriterHarness(temporaryDirectory(context), {
    bufferRecords: 1,
    checkpointIntervalMs: 10,
  });
  let checkpointFull = true;
  let linesFull = false;
  hooked(context, (call) => {
    if (call === 'writeFile' && checkpointFull) throw systemError('ENOSPC');
    if (call === 'writevSync' && linesFull) throw systemError('ENOSPC');
  });
  harness.append(unitOf(0, 0, [[]]));
  await harness.wait('blocked');
  linesFull = true;
  harness.append(unitOf(0, 1, [[]]));
  await sleep(10);
  checkpointFull = false;
  await harness.wait('checkpointed');
  assert.equal(harness.of('unblocked').length, 0);
  linesFull = false;
  await harness.wait('unblocked');
  assert.equal(harness.of('blocked').length, 1);
  await harness.stop();
});

test('a failed fdatasync ends it: no other one, and no further checkpoint', async (context) => {
  const directory = temporaryDirectory(context);
  const harness = new WriterHarness(directory, { checkpointIntervalMs: 10, bufferRecords: 1 });
  let syncs = 0;
  hooked(context, (call) => {
    if (call !== 'fdatasync') return;
    syncs += 1;
    throw systemError('ENOSPC');
  });
  harness.append(unitOf(0, 0, [[]]));
  const { error } = await harness.wait('failed');
  assert.equal(error.code, 'SYNC_FAILED');
  harness.append(unitOf(0, 1, [[]]));
  harness.writer.request({ kind: 'stop' });
  await sleep(50);
  assert.equal(syncs, 1);
  assert.equal(loadCheckpoint(directory)?.checkpoint.sequence, 0);
  assert.equal(harness.events.at(-1)?.kind, 'failed');
});

test('a failed fdatasync ends it also when the writer waits for room at that time', async (context) => {
  const directory = temporaryDirectory(context);
  const harness = new WriterHarness(directory, { checkpointIntervalMs: 20, bufferRecords: 1 });
  const disk = Promise.withResolvers<void>();
  let syncs = 0;
  let full = false;
  hooked(context, (call) => {
    if (call === 'writevSync' && full) throw systemError('ENOSPC');
    if (call !== 'fdatasync') return undefined;
    syncs += 1;
    return syncs === 1 ? disk.promise : undefined;
  });
  harness.append(unitOf(0, 0, [[]]));
  await harness.wait('released');
  while (syncs === 0) await sleep(1);
  full = true;
  harness.append(unitOf(0, 1, [[]]));
  await harness.wait('blocked');
  await sleep(40);
  disk.reject(systemError('EIO'));
  await harness.wait('failed');
  full = false;
  await sleep(1200);
  assert.equal(syncs, 1, 'the kernel would report success now, for bytes it has dropped');
  assert.equal(loadCheckpoint(directory)?.checkpoint.sequence, 0);
  assert.equal(harness.events.at(-1)?.kind, 'failed');
});

for (const [call, target] of [
  ['sync', 'checkpoint.json.tmp'],
  ['sync', 'state'],
  ['fsyncSync', 'date='],
  ['fsyncSync', '.meta.json.tmp'],
] as const) {
  test(`a failed fsync of ${target} is never tried again, whatever the reason`, async (context) => {
    const directory = temporaryDirectory(context);
    const harness = new WriterHarness(directory, { maxFileBytes: 1, bufferRecords: 1 });
    let failures = 0;
    const release = hookFileSystem((name, path) => {
      if (name !== call || !nameOf(path).includes(target)) return;
      failures += 1;
      throw systemError('ENOSPC');
    });
    context.after(release);
    harness.append(unitOf(0, 0, [[]]), unitOf(0, 1, [[]]));
    assert.equal((await harness.wait('failed')).error.code, 'SYNC_FAILED');
    await sleep(20);
    assert.equal(failures, 1);
    release();
    recover(directory, 'test', 0);
    assert.ok(linesOf(2).startsWith(contentOf(directory, 'service_logs')));
  });
}

test('any other failure of a write ends it with a sentence', async (context) => {
  const directory = temporaryDirectory(context);
  const harness = new WriterHarness(directory, { bufferRecords: 1 });
  hooked(context, (call) => {
    if (call === 'writevSync') throw systemError('EIO');
  });
  harness.append(unitOf(0, 0, [[]]));
  const { error } = await harness.wait('failed');
  assert.equal(error.code, 'WRITE_FAILED');
  assert.match(error.message, /^The write in .* failed \(EIO: injected\): check the disk/);
});

test('a disk that is really full', async (context) => {
  const directory = mkdtempSync(join(tmpdir(), 'log-consumer-disk-'));
  const mounted = mountSmallDisk(directory);
  context.after(() => {
    if (mounted) execFileSync('umount', ['--lazy', directory]);
    rmdirSync(directory);
  });
  if (!mounted) return context.skip('needs the right to mount a tmpfs');
  const harness = new WriterHarness(directory, { bufferRecords: 1, checkpointIntervalMs: 20 });
  harness.append(unitOf(0, 0, [[]]));
  await harness.wait('checkpointed');
  writeFileSync(join(directory, 'ballast'), Buffer.alloc(160 * 1024));
  for (let offset = 1; offset < 20; offset += 1) harness.append(unitOf(0, offset, [['error_logs']], 5000));
  await harness.wait('blocked');
  for (const text of Object.values(contentsOf(directory))) assert.match(text, /^(\{[^\n]*\}\n)*$/);
  rmSync(join(directory, 'ballast'));
  await harness.wait('unblocked');
  await harness.stop();
  const expected = Array.from({ length: 19 }, (_, index) => lineOf(0, index + 1, 5000)).join('');
  assert.equal(contentOf(directory, 'service_logs'), lineOf(0, 0) + expected);
  assert.equal(contentOf(directory, 'error_logs'), expected);
});

function mountSmallDisk(directory: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', directory], { stdio: 'ignore' });
    return true;
  } catch {
    // Not root, or no tmpfs: the injected failures above still cover the behaviour.
    return false;
  }
}
