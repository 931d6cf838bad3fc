/** What comes back from a store, and that verify accepts it. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { LOG_FILES } from '../../../src/core/files.ts';
import { type Checkpoint, loadCheckpoint } from '../../../src/storage/checkpoint.ts';
import type { SegmentFacts } from '../../../src/storage/facts.ts';
import { closedSegments, recover } from '../../../src/storage/recovery.ts';
import { readRetentionLedger } from '../../../src/storage/retention-ledger.ts';
import { lostBetween } from '../../../src/upkeep/backup/restored-state.ts';
import { verify } from '../../../src/upkeep/verify.ts';
import { BackupHarness, restoreAll, sealAll, writeSealedDirectory } from '../../helpers/backup-harness.ts';
import { closedFiles } from '../../helpers/log-directory.ts';
import { MemoryStore, outage } from '../../helpers/memory-store.ts';
import { removeOldest } from '../../helpers/removal.ts';
import { storedLines } from '../../helpers/stored-files.ts';
import { temporaryDirectory } from '../../helpers/temporary-directory.ts';
import { TOPIC, unitOf } from '../../helpers/write-units.ts';
import { WriterHarness } from '../../helpers/writer-harness.ts';

/** A backup of what `writeSealedDirectory` makes. */
async function backedUp(context: TestContext): Promise<{ directory: string; store: MemoryStore }> {
  const directory = await writeSealedDirectory(context);
  const store = new MemoryStore();
  assert.deepEqual((await new BackupHarness(store, directory).run()).problems, []);
  return { directory, store };
}

function newDirectory(context: TestContext): string {
  return join(temporaryDirectory(context), 'restored');
}

function factsOf(directory: string): SegmentFacts[] {
  return closedSegments(directory, 'service_logs').map(
    ({ path }) => JSON.parse(readFileSync(`${path}.meta.json`, 'utf8')) as SegmentFacts,
  );
}

/** The sum over the closed segments. */
function sealedTotals(directory: string) {
  const totals = { consumed: 0, written: 0, filtered: 0, quarantined: 0 };
  for (const { accounts } of factsOf(directory)) {
    for (const name of ['consumed', 'written', 'filtered', 'quarantined'] as const) {
      totals[name] += accounts?.totals[name] ?? 0;
    }
  }
  return totals;
}

const isArchived = (key: string): boolean => key.includes('/archive/');

test('everything that was sealed comes back, byte for byte, with the same totals', async (context) => {
  const { directory, store } = await backedUp(context);
  const target = newDirectory(context);
  const report = await restoreAll(store, target);
  for (const key of [...store.keys('.gz'), ...store.keys('.meta.json')].filter(isArchived)) {
    const path = key.slice('some/logs/'.length);
    assert.ok(readFileSync(join(target, path)).equals(readFileSync(join(directory, path))), path);
  }
  const verified = await verify(target);
  const totals = sealedTotals(directory);
  assert.deepEqual(verified.problems, []);
  assert.equal(verified.records, totals.written);
  assert.equal(report.records, totals.written);
  assert.equal(verified.filtered, totals.filtered);
  assert.equal(verified.quarantined, totals.quarantined);
  assert.deepEqual(verified.removed, { segments: 0, records: 0 });
  assert.deepEqual(verified.partitions['logs/1']?.lost, [{ from: 20, to: 30, reason: 'deleted_by_kafka' }]);
  assert.equal(verified.partitions['logs/1']?.absent, 0);
  const [before, after] = [loadCheckpoint(directory)?.checkpoint, loadCheckpoint(target)?.checkpoint];
  assert.equal(after?.directory_id, before?.directory_id);
  assert.equal(after?.files.service_logs?.number, before?.files.service_logs?.number);
  assert.ok(!existsSync(join(target, 'restore.json')));
});

test('of every file come exactly the lines of the restored records', async (context) => {
  const { directory, store } = await backedUp(context);
  const ends = loadCheckpointOf(await restoredTo(context, store)).partitions;
  const spans = [{ from: -8.64e15, to: 8.64e15 }];
  for (const { closed_at: closed } of factsOf(directory)) {
    spans.push({ from: -8.64e15, to: Date.parse(closed) });
  }
  assert.ok((ends['logs/0']?.next_offset ?? 0) < 40, 'the last records are in no closed file');
  for (const wanted of spans) {
    const target = newDirectory(context);
    let isThere = true;
    await restoreAll(store, target, { wanted }).catch((error: Error) => {
      assert.match(error.message, /holds no segment/);
      isThere = false;
    });
    if (!isThere) continue;
    const { partitions } = loadCheckpointOf(target);
    for (const file of LOG_FILES) {
      const original = await storedLines(directory, file);
      const expected = original.filter((line) => {
        const { p, o, partition, offset } = JSON.parse(line) as Record<string, number>;
        return (o ?? offset ?? 0) < (partitions[`logs/${p ?? partition}`]?.next_offset ?? 0);
      });
      assert.deepEqual(await storedLines(target, file), expected, file);
    }
    assert.deepEqual(readRetentionLedger(target).files, {}, 'nothing has to be explained');
  }
});

async function restoredTo(context: TestContext, store: MemoryStore): Promise<string> {
  const target = newDirectory(context);
  await restoreAll(store, target);
  return target;
}

function loadCheckpointOf(directory: string): Checkpoint {
  const loaded = loadCheckpoint(directory);
  assert.ok(loaded !== undefined);
  return loaded.checkpoint;
}

test('a tail that is damaged is refused, one that is missing is told', async (context) => {
  const { store } = await backedUp(context);
  const [key = ''] = store.keys('.jsonl.gz').filter((name) => name.includes('/tails/'));
  const object = store.objects.get(key);
  assert.ok(object !== undefined);
  const good = object.bytes;
  object.bytes = gzipSync(gunzipSync(good).toString().replace('x', 'y'));
  await assert.rejects(restoreAll(store, newDirectory(context)), /tails\/.* is not what was copied/);
  object.bytes = good.subarray(0, good.length - 9);
  await assert.rejects(restoreAll(store, newDirectory(context)), /tails\/.* cannot be decompressed/);
  store.objects.delete(key);
  const target = newDirectory(context);
  const { warnings } = await restoreAll(store, target);
  assert.equal(warnings.length, 1);
  assert.match(
    warnings[0] ?? '',
    /The store lacks some lines of \w+ that belong to the last restored records/,
  );
  assert.deepEqual((await verify(target)).problems, []);
});

test('what was removed from the archive comes back too', async (context) => {
  const { directory, store } = await backedUp(context);
  const totals = sealedTotals(directory);
  await removeOldest(directory, 'service_logs', 3);
  await removeOldest(directory, 'quarantine', 1);
  await new BackupHarness(store, directory).run();
  const target = newDirectory(context);
  await restoreAll(store, target);
  const verified = await verify(target);
  assert.deepEqual([verified.problems, verified.records], [[], totals.written]);
});

test('the service goes on in a restored directory as in any other', async (context) => {
  const { store } = await backedUp(context);
  const target = newDirectory(context);
  await restoreAll(store, target);
  const { partitions } = recover(target, 'test', Date.now()).checkpoint;
  const next = partitions['logs/0']?.next_offset ?? 0;
  const harness = new WriterHarness(target, { maxFileBytes: 400, bufferRecords: 1 });
  for (let offset = next; offset < next + 20; offset += 5) {
    harness.append(unitOf(0, offset, [[], 'quarantined', ['audit_logs'], 'filtered', []], 30));
  }
  await harness.stop();
  assert.deepEqual((await verify(target)).problems, []);
  await sealAll(target);
  assert.deepEqual((await verify(target)).problems, []);
  await removeOldest(target, 'service_logs', 2);
  await removeOldest(target, 'quarantine', 1);
  assert.deepEqual((await verify(target)).problems, []);
});

test('every single span of segments comes back and is accepted', async (context) => {
  const { directory, store } = await backedUp(context);
  const facts = factsOf(directory);
  assert.ok(facts.length > 3);
  for (const [index, { closed_at: closedAt }] of facts.entries()) {
    const from = Date.parse(closedAt);
    const target = newDirectory(context);
    await restoreAll(store, target, { wanted: { from, to: from + 1 } });
    const restored = closedSegments(target, 'service_logs').map(({ number }) => number);
    assert.ok(restored.includes(index + 1), `segment ${index + 1} is in ${restored.join()}`);
    const verified = await verify(target);
    assert.deepEqual(verified.problems, []);
    assert.equal(verified.records, sealedTotals(target).written);
    assert.equal(
      readRetentionLedger(target).files.service_logs?.removed_through ?? 0,
      (restored[0] ?? 1) - 1,
    );
  }
});

test('a restored part that is damaged later is noticed', async (context) => {
  const { directory, store } = await backedUp(context);
  const from = Date.parse(factsOf(directory)[2]?.closed_at ?? '');
  for (const file of ['service_logs', 'quarantine'] as const) {
    const target = newDirectory(context);
    await restoreAll(store, target, { wanted: { from: from - 1000, to: from + 1000 } });
    assert.deepEqual((await verify(target)).problems, []);
    const [path] = closedFiles(target, file, '.jsonl.gz');
    assert.ok(path !== undefined);
    rmSync(path);
    assert.notDeepEqual((await verify(target)).problems, []);
  }
});

test('lines that are older than their file count by their own time', async (context) => {
  const directory = temporaryDirectory(context);
  const harness = new WriterHarness(directory, { maxFileBytes: 100, bufferRecords: 1 });
  const times = ['2020-01-01', '2020-01-02', '2020-01-03', '2020-01-04'].map((day) => Date.parse(day));
  for (const [index, time] of times.entries()) {
    const unit = unitOf(0, index, [[]], 60);
    harness.append({ ...unit, facts: { ...unit.facts, minTimestamp: time, maxTimestamp: time } });
  }
  await harness.stop();
  await sealAll(directory);
  const store = new MemoryStore();
  await new BackupHarness(store, directory).run();
  const target = newDirectory(context);
  await restoreAll(store, target, {
    wanted: { from: Date.parse('2020-01-02'), to: Date.parse('2020-01-03') },
  });
  const found = closedSegments(target, 'service_logs').map(({ number }) => number);
  assert.deepEqual(found, [2]);
  assert.deepEqual((await verify(target)).problems, []);
});

test('several instances come back together or one by one', async (context) => {
  const root = temporaryDirectory(context);
  const store = new MemoryStore();
  const ranges = {
    a: [
      [0, 10],
      [20, 30],
    ],
    b: [[10, 20]],
  } as const;
  for (const [id, parts] of Object.entries(ranges)) {
    const directory = join(root, 'instances', id);
    const harness = new WriterHarness(directory, { bufferRecords: 1, maxFileBytes: 100 });
    let reached: number = parts[0][0];
    for (const [from, to] of parts) {
      const reason = 'stored_by_others';
      if (from > reached) {
        harness.writer.request({ kind: 'skip', topic: TOPIC, partition: 0, from: reached, to: from, reason });
      }
      for (let offset = from; offset < to; offset += 1) harness.append(unitOf(0, offset, [[]], 20));
      reached = to;
    }
    harness.append(unitOf(0, reached, []));
    await harness.stop();
    await sealAll(directory);
    await new BackupHarness(store, directory, { root }).run();
  }
  assert.deepEqual((await verify(root)).problems, []);
  const target = newDirectory(context);
  const report = await restoreAll(store, target);
  assert.deepEqual(report.instances.toSorted(), ['instances/a', 'instances/b']);
  const verified = await verify(target);
  assert.deepEqual(verified.problems, []);
  assert.equal(verified.records, report.records);
  assert.ok(report.records < 30, 'the active files are not in the backup');
  const one = newDirectory(context);
  assert.deepEqual((await restoreAll(store, one, { instance: 'b' })).instances, ['instances/b']);
  assert.deepEqual((await verify(one)).problems, []);
  await assert.rejects(
    restoreAll(store, newDirectory(context), { instance: 'c' }),
    /holds no segment of instances\/c/,
  );
});

test('a restore that breaks off at any call goes on, and the directory is no output directory until it is whole', async (context) => {
  const { store } = await backedUp(context);
  const whole = newDirectory(context);
  store.calls.length = 0;
  await restoreAll(store, whole);
  const calls = store.calls.length;
  for (let failing = 1; failing <= calls; failing += 1) {
    const target = newDirectory(context);
    store.calls.length = 0;
    store.before = () => {
      if (store.calls.length >= failing) throw outage();
    };
    await assert.rejects(restoreAll(store, target), /The store is away/);
    assert.equal((await verify(target)).ok, false);
    store.before = () => undefined;
    await restoreAll(store, target);
    assert.deepEqual((await verify(target)).problems, []);
    const [names, expected] = [target, whole].map((path) =>
      readdirSync(path, { recursive: true, encoding: 'utf8' }).sort(),
    );
    assert.deepEqual(names, expected);
  }
});

test('nothing is mixed into a directory that holds something else', async (context) => {
  const { store, directory } = await backedUp(context);
  await assert.rejects(restoreAll(store, directory), /is not empty: name a new directory/);
  const target = newDirectory(context);
  store.before = (call) => {
    if (call.endsWith('.gz')) throw outage();
  };
  await assert.rejects(restoreAll(store, target), /away/);
  store.before = () => undefined;
  await assert.rejects(
    restoreAll(store, target, { wanted: { from: 0, to: 8.64e15 } }),
    /holds a restore of something else that broke off/,
  );
  await assert.rejects(restoreAll(store, target, { target: 'elsewhere' }), /something else/);
  await restoreAll(store, target);
  await assert.rejects(restoreAll(store, target), /is not empty/);
});

test('an object that is not what was copied gets no name', async (context) => {
  const { store } = await backedUp(context);
  const key = store.keys('.jsonl.gz')[1] ?? '';
  const object = store.objects.get(key);
  assert.ok(object !== undefined);
  const good = object.bytes;
  object.bytes = Buffer.from(good.map((byte, index) => (index === 30 ? byte ^ 1 : byte)));
  const target = newDirectory(context);
  await assert.rejects(restoreAll(store, target), /is not what was copied \(SHA-256/);
  assert.ok(!existsSync(join(target, key.slice('some/logs/'.length))));
  object.bytes = good;
  await restoreAll(store, target);
  store.objects.delete(key);
  await assert.rejects(restoreAll(store, newDirectory(context)), /The lines of archive\/.* are missing/);
});

test('a gap between the wanted segments is named', async (context) => {
  const { store } = await backedUp(context);
  const base = (store.keys('.jsonl.gz').filter((key) => key.includes('/service_logs/'))[2] ?? '').replace(
    /\.jsonl\.gz$/,
    '',
  );
  for (const suffix of ['.jsonl.gz', '.meta.json']) store.objects.delete(base + suffix);
  await assert.rejects(restoreAll(store, newDirectory(context)), /lacks segment 3 of service_logs/);
});

test('a segment whose facts never arrived counts as not copied', async (context) => {
  const { store } = await backedUp(context);
  const last =
    store
      .keys('.meta.json')
      .filter((key) => key.includes('/service_logs/'))
      .at(-1) ?? '';
  store.objects.delete(last);
  const target = newDirectory(context);
  await restoreAll(store, target);
  assert.deepEqual((await verify(target)).problems, []);
});

test('keys that would leave the directory are none of ours', async (context) => {
  const { store } = await backedUp(context);
  const base = (store.keys('.jsonl.gz').find((key) => key.includes('/service_logs/')) ?? '').slice(0, -9);
  for (const instance of ['..', 'instances/..', 'instances/.', 'instances/a/..', 'other/a']) {
    for (const suffix of ['.jsonl.gz', '.meta.json']) {
      const object = store.objects.get(base + suffix);
      assert.ok(object !== undefined);
      store.objects.set(`some/logs/${instance}/${base.slice('some/logs/'.length)}${suffix}`, object);
    }
  }
  const target = newDirectory(context);
  assert.deepEqual((await restoreAll(store, target)).instances, ['']);
  assert.ok(!existsSync(join(dirname(target), 'archive')));
  assert.deepEqual((await verify(target)).problems, []);
});

test('without a checkpoint in the store a new set of files begins; a damaged one is refused', async (context) => {
  const { store, directory } = await backedUp(context);
  const key = 'some/logs/state/checkpoint.json';
  const object = store.objects.get(key);
  assert.ok(object !== undefined);
  const good = object.bytes;
  object.bytes = good.subarray(1);
  await assert.rejects(restoreAll(store, newDirectory(context)), /checkpoint\.json in the memory is damaged/);
  store.objects.delete(key);
  const target = newDirectory(context);
  await restoreAll(store, target);
  assert.deepEqual((await verify(target)).problems, []);
  const ids = [directory, target].map((path) => loadCheckpoint(path)?.checkpoint.directory_id);
  assert.notEqual(ids[0], ids[1]);
});

test('a topic that was created again comes back in order', async (context) => {
  const directory = temporaryDirectory(context);
  const harness = new WriterHarness(directory, { maxFileBytes: 100, bufferRecords: 1 });
  harness.append(unitOf(0, 100, [[], 'quarantined', []], 20));
  const jump = { topic: TOPIC, partition: 0, from: 103, to: 0, reason: 'topic_recreated' } as const;
  harness.writer.request({ kind: 'skip', ...jump });
  for (let offset = 0; offset < 8; offset += 2) harness.append(unitOf(0, offset, [[], 'quarantined'], 20));
  await harness.stop();
  await sealAll(directory);
  const store = new MemoryStore();
  await new BackupHarness(store, directory).run();
  const target = newDirectory(context);
  await restoreAll(store, target);
  assert.deepEqual((await verify(target)).problems, []);
});

test('which ranges given up lie between two positions', () => {
  const lost = [
    { from: 10, to: 20, reason: 'x' },
    { from: 30, to: 5, reason: 'y' },
  ];
  const entry = {
    first_offset: 0,
    next_offset: 40,
    consumed: 0,
    written: 0,
    filtered: 0,
    quarantined: 0,
    lost,
    uncertain: [],
  };
  assert.deepEqual(lostBetween(entry, 0, 40, 55), lost);
  assert.deepEqual(lostBetween(entry, 0, 8, 8), []);
  assert.deepEqual(lostBetween(entry, 0, 8, 23), lost, 'the second time that 8 was reached');
  assert.deepEqual(lostBetween(entry, 25, 40, 40), [lost[1]]);
  assert.deepEqual(lostBetween(entry, 25, 40, 15), []);
});

/** As builds wrote them that did not count by partition. */
function withoutPartitions(store: MemoryStore): void {
  for (const key of store.keys('.meta.json').filter((name) => name.includes('/service_logs/'))) {
    const object = store.objects.get(key);
    assert.ok(object !== undefined);
    const facts = JSON.parse(object.bytes.toString()) as { accounts: object };
    const accounts = { ...facts.accounts, partitions: undefined };
    object.bytes = Buffer.from(JSON.stringify({ ...facts, accounts }));
  }
}

test('facts that do not count by partition are enough for one partition, and refused for more', async (context) => {
  const { store } = await backedUp(context);
  withoutPartitions(store);
  await assert.rejects(restoreAll(store, newDirectory(context)), /opened by an early build/);
  const directory = temporaryDirectory(context);
  const harness = new WriterHarness(directory, { maxFileBytes: 100, bufferRecords: 1 });
  for (let offset = 0; offset < 8; offset += 2) harness.append(unitOf(0, offset, [[], 'filtered'], 60));
  await harness.stop();
  await sealAll(directory);
  const other = new MemoryStore();
  await new BackupHarness(other, directory).run();
  withoutPartitions(other);
  const target = newDirectory(context);
  await restoreAll(other, target);
  assert.deepEqual((await verify(target)).problems, []);
});
