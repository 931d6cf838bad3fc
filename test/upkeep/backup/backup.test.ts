/** Which files are copied, in which order, and what is remembered of it. */
import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { mock, type TestContext, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { systemClock } from '../../../src/core/clock.ts';
import { ServiceError } from '../../../src/core/errors.ts';
import { LOG_FILES } from '../../../src/core/files.ts';
import { BACKUP_CIRCUIT } from '../../../src/core/limits.ts';
import { Circuit } from '../../../src/resilience/circuit.ts';
import { confirmedThrough } from '../../../src/storage/backup-state.ts';
import { lockBackup } from '../../../src/storage/lock.ts';
import { closedSegments } from '../../../src/storage/recovery.ts';
import { isStoreOutage } from '../../../src/upkeep/backup/backup-run.ts';
import {
  BackupHarness,
  checkBackup,
  NEVER,
  sealAll,
  writeSealedDirectory,
} from '../../helpers/backup-harness.ts';
import { alter, closedFiles, writeLogDirectory } from '../../helpers/log-directory.ts';
import { MemoryStore, outage } from '../../helpers/memory-store.ts';
import { removeOldest } from '../../helpers/removal.ts';
import { temporaryDirectory } from '../../helpers/temporary-directory.ts';
import { unitOf } from '../../helpers/write-units.ts';
import { WriterHarness } from '../../helpers/writer-harness.ts';

const PLACE = 'the store of the test';

test('every file of every sealed segment is copied under its path, and the checkpoint', async (context) => {
  const directory = await writeSealedDirectory(context);
  const store = new MemoryStore();
  const harness = new BackupHarness(store, directory);
  const result = await harness.run();
  const expected = LOG_FILES.flatMap((file) =>
    closedSegments(directory, file).flatMap(({ path, suffixes }) => suffixes.map((suffix) => path + suffix)),
  ).map((path) => `some/logs/${relative(directory, path)}`);
  const tails = [...store.objects.keys()].filter((key) => key.includes('/tails/'));
  assert.deepEqual(
    [...store.objects.keys()].sort(),
    [...expected, ...tails, 'some/logs/state/checkpoint.json'].sort(),
  );
  for (const [key, { bytes }] of store.objects) {
    if (tails.includes(key)) continue;
    assert.ok(readFileSync(join(directory, key.slice('some/logs/'.length))).equals(bytes));
  }
  const total = [...store.objects.values()].reduce((sum, { bytes }) => sum + bytes.length, 0);
  assert.deepEqual(
    [result.files, result.bytes, result.problems],
    [expected.length + tails.length + 1, total, []],
  );
  assert.equal(harness.uploaded.length, result.files);
  assert.equal(harness.backlog[0]?.files, expected.length);
  assert.deepEqual(harness.backlog.at(-1), { files: 0, bytes: 0 });
  const newest = LOG_FILES.map((file) => [file, closedSegments(directory, file).at(-1)?.number ?? 0]);
  assert.deepEqual(result.confirmed, Object.fromEntries(newest));
  assert.deepEqual(confirmedThrough(directory, PLACE), result.confirmed);
});

test('the facts of a segment travel after its other files, and segments of one file in order', async (context) => {
  const directory = await writeSealedDirectory(context);
  for (const { path } of closedSegments(directory, 'service_logs'))
    writeFileSync(`${path}.parquet`, 'columns');
  const store = new MemoryStore();
  await new BackupHarness(store, directory, { concurrency: 1 }).run();
  const puts = store.calls.filter((call) => call.startsWith('put ') && call.includes('/service_logs/'));
  const bases = closedSegments(directory, 'service_logs').map(({ path }) => relative(directory, path));
  assert.deepEqual(
    puts,
    bases.flatMap((base) =>
      ['.jsonl.gz', '.parquet', '.meta.json'].map((suffix) => `put some/logs/${base}${suffix}`),
    ),
  );
  const archived = (suffix: string) => store.objects.get(store.keys(suffix)[0] ?? '')?.archived;
  assert.deepEqual([archived('.jsonl.gz'), archived('.parquet'), archived('.json')], [true, true, false]);
});

test('what is confirmed is not looked at again, and what the store has is not sent again', async (context) => {
  const directory = await writeSealedDirectory(context);
  const store = new MemoryStore();
  await new BackupHarness(store, directory).run();
  store.calls.length = 0;
  const again = await new BackupHarness(store, directory).run();
  assert.deepEqual([again.files, again.bytes], [0, 0]);
  assert.deepEqual(store.calls, ['head some/logs/state/checkpoint.json']);
  rmSync(join(directory, 'state/backup.json'));
  const blind = await new BackupHarness(store, directory).run();
  assert.deepEqual([blind.files, blind.confirmed], [0, again.confirmed]);
});

test('another place has nothing confirmed, nor has a damaged state', async (context) => {
  const directory = await writeSealedDirectory(context);
  const { confirmed } = await new BackupHarness(new MemoryStore(), directory).run();
  assert.ok(confirmed.service_logs > 1);
  assert.equal(confirmedThrough(directory, 'elsewhere').service_logs, 0);
  const other = new MemoryStore();
  await new BackupHarness(other, directory, { target: 'elsewhere' }).run();
  assert.equal(
    other.keys('.meta.json').length,
    LOG_FILES.reduce((sum, file) => sum + confirmed[file], 0),
  );
  alter(join(directory, 'state/backup.json'), (text) => text.replace('"service_logs":', '"service_logs":9'));
  assert.equal(confirmedThrough(directory, 'elsewhere').service_logs, 0);
});

test('a segment that is not compressed yet waits, and so does everything after it', async (context) => {
  const directory = await writeLogDirectory(context);
  const store = new MemoryStore();
  assert.deepEqual((await new BackupHarness(store, directory).run()).files, 1);
  await sealAll(directory);
  const [, second] = closedSegments(directory, 'service_logs');
  assert.ok(second !== undefined);
  writeFileSync(`${second.path}.jsonl`, 'as a crash leaves it');
  const { confirmed, problems } = await new BackupHarness(store, directory).run();
  assert.deepEqual([confirmed.service_logs, problems], [1, []]);
  rmSync(`${second.path}.jsonl`);
  assert.ok((await new BackupHarness(store, directory).run()).confirmed.service_logs > 2);
});

test('a compressed file that was changed is not copied, and nothing after it is confirmed', async (context) => {
  const directory = await writeSealedDirectory(context);
  const path = closedFiles(directory, 'service_logs', '.jsonl.gz')[1] ?? '';
  appendFileSync(path, 'x');
  const store = new MemoryStore();
  const harness = new BackupHarness(store, directory, { attempts: 3 });
  const { confirmed, problems } = await harness.run();
  assert.equal(confirmed.service_logs, 1);
  assert.match(problems.join(), /is no longer what was written when it was compressed/);
  assert.deepEqual(harness.retries, [null]);
  assert.ok(!store.objects.has(`some/logs/${relative(directory, path)}`));
  assert.ok(confirmed.audit_logs > 0);
});

test('a segment that is missing is named, and nothing after it is confirmed', async (context) => {
  const directory = await writeSealedDirectory(context);
  for (const suffix of ['.jsonl.gz', '.meta.json', '.parquet']) {
    rmSync(closedFiles(directory, 'service_logs', suffix)[1] ?? '');
  }
  const { confirmed, problems } = await new BackupHarness(new MemoryStore(), directory).run();
  assert.equal(confirmed.service_logs, 1);
  assert.match(problems.join(), /Segment 2 of service_logs is missing from/);
});

/** Of one partition; the quarantine and the errors go on while service_logs is closed again and again. */
async function writeUneven(context: TestContext): Promise<string> {
  const directory = temporaryDirectory(context);
  await appendUneven(directory, 0);
  return directory;
}

async function appendUneven(directory: string, first: number): Promise<void> {
  const harness = new WriterHarness(directory, { maxFileBytes: 500, bufferRecords: 1 });
  for (let offset = first; offset < first + 12; offset += 3) {
    harness.append(unitOf(0, offset, [[], 'quarantined', ['error_logs']], 180));
  }
  await harness.stop();
}

test('with the newest segment goes what the other files held then, until that is copied as a whole', async (context) => {
  const directory = await writeUneven(context);
  await sealAll(directory);
  const store = new MemoryStore();
  await new BackupHarness(store, directory).run();
  const tails = () => store.keys('.jsonl.gz').filter((key) => key.includes('/tails/'));
  assert.deepEqual(
    tails().map((key) => key.slice('some/logs/tails/'.length)),
    ['error_logs-00000002.jsonl.gz', 'quarantine-00000001.jsonl.gz'],
  );
  const lines = gunzipSync(store.objects.get(tails()[1] ?? '')?.bytes ?? '').toString();
  assert.ok(readFileSync(join(directory, 'quarantine.jsonl'), 'utf8').startsWith(lines));
  const puts = store.calls.filter((call) => call.startsWith('put '));
  const place = (part: string) => puts.findIndex((call) => call.includes(part));
  assert.ok(place('/error_logs-') < place('/tails/') && place('/tails/') < place('/service_logs-'));
  assert.deepEqual((await checkBackup(store, directory, { deep: true })).problems, []);
  const gone = store.objects.get(tails()[0] ?? '');
  assert.ok(gone !== undefined);
  const [key = ''] = tails();
  store.objects.delete(key);
  assert.match(
    (await checkBackup(store, directory)).problems.join(),
    /tails\/error_logs-00000002\.jsonl\.gz is missing/,
  );
  store.objects.set(key, gone);
  await appendUneven(directory, 12);
  await sealAll(directory);
  await new BackupHarness(store, directory).run();
  assert.ok(!tails().includes(key), 'it is in the archive now');
  assert.deepEqual((await checkBackup(store, directory, { deep: true })).problems, []);
});

test('a segment waits for those of other files that go with it, but not for ever', async (context) => {
  const directory = await writeUneven(context);
  await appendUneven(directory, 12);
  await sealAll(directory);
  const [first] = closedSegments(directory, 'error_logs');
  assert.ok(first !== undefined);
  writeFileSync(`${first.path}.jsonl`, gunzipSync(readFileSync(`${first.path}.jsonl.gz`)));
  const store = new MemoryStore();
  const waiting = await new BackupHarness(store, directory).run();
  const all = closedSegments(directory, 'service_logs').length;
  assert.ok(waiting.confirmed.service_logs > 0 && waiting.confirmed.service_logs < all);
  assert.deepEqual(waiting.problems, []);
  mock.timers.enable({ apis: ['Date'], now: Date.now() + 2 * 3_600_000 });
  context.after(() => mock.timers.reset());
  assert.equal((await new BackupHarness(store, directory).run()).confirmed.service_logs, all);
});

test('a store that lets nobody delete keeps tails, and that is no problem', async (context) => {
  const directory = await writeUneven(context);
  await sealAll(directory);
  const store = new MemoryStore();
  await new BackupHarness(store, directory).run();
  store.before = (call) => {
    if (call.startsWith('remove ')) throw new ServiceError('STORE_REFUSED', 'No.');
  };
  await appendUneven(directory, 12);
  await sealAll(directory);
  assert.deepEqual((await new BackupHarness(store, directory).run()).problems, []);
  assert.ok(store.calls.some((call) => call.startsWith('remove ')));
});

test('a file that does not begin with what was recorded is named, and the rest goes on', async (context) => {
  const directory = await writeUneven(context);
  await sealAll(directory);
  alter(join(directory, 'quarantine.jsonl'), (text) => text.replace('not_json', 'not_jsom'));
  const { confirmed, problems } = await new BackupHarness(new MemoryStore(), directory).run();
  assert.match(problems.join(), /Segment 1 of quarantine does not begin with what was written to it/);
  assert.ok(confirmed.service_logs > 0);
});

test('facts that cannot be read are named, and nothing after them is confirmed', async (context) => {
  const directory = await writeSealedDirectory(context);
  writeFileSync(closedFiles(directory, 'service_logs', '.meta.json')[1] ?? '', 'no facts');
  const { confirmed, problems } = await new BackupHarness(new MemoryStore(), directory).run();
  assert.equal(confirmed.service_logs, 1);
  assert.match(problems.join(), /meta\.json cannot be read \(.*\): run "log-consumer verify"/);
  assert.ok(confirmed.quarantine > 0);
});

test('segments that were removed before the first backup are not missed', async (context) => {
  const directory = await writeSealedDirectory(context);
  for (const file of LOG_FILES) await removeOldest(directory, file);
  const store = new MemoryStore();
  const { confirmed, problems } = await new BackupHarness(store, directory).run();
  assert.deepEqual(problems, []);
  assert.equal(confirmed.service_logs, closedSegments(directory, 'service_logs').at(-1)?.number);
  const report = await checkBackup(store, directory);
  assert.deepEqual([report.problems, report.segments], [[], store.keys('.meta.json').length]);
});

test('a store that keeps no checksums has to give everything back', async (context) => {
  const directory = await writeSealedDirectory(context);
  const store = new MemoryStore();
  store.keepsChecksums = false;
  await new BackupHarness(store, directory).run();
  const reads = store.calls.filter((call) => call.startsWith('read '));
  assert.equal(reads.length, store.objects.size);
  assert.deepEqual((await checkBackup(store, directory)).problems, []);
  const key = store.keys('.jsonl.gz')[0] ?? '';
  const object = store.objects.get(key);
  assert.ok(object !== undefined);
  object.bytes = Buffer.from(object.bytes.map((byte, index) => (index === 20 ? byte ^ 1 : byte)));
  assert.match((await checkBackup(store, directory)).problems.join(), /has another SHA-256/);
});

test('an object that the store kept in another form is not confirmed', async (context) => {
  const directory = await writeSealedDirectory(context);
  const store = new MemoryStore();
  store.after = (call) => {
    const key = call.replace(/^put /, '');
    if (key !== call && key.includes('/audit_logs/')) store.overwrite(key, Buffer.from('something else'));
  };
  const { confirmed, problems } = await new BackupHarness(store, directory).run();
  assert.equal(confirmed.audit_logs, 0);
  assert.match(problems.join(), /does not hold some\/logs\/archive\/audit_logs\/.* as it was sent/);
});

test('an outage is tried again with pauses, then left to the next call; nothing else is asked meanwhile', async (context) => {
  const directory = await writeSealedDirectory(context);
  const store = new MemoryStore();
  store.before = () => {
    throw outage();
  };
  const harness = new BackupHarness(store, directory, { attempts: 3, concurrency: 1 });
  const { problems } = await harness.run();
  assert.deepEqual(problems, ['The store is away.']);
  assert.equal(store.calls.length, 3);
  assert.deepEqual(
    harness.retries.map((pause) => pause === null),
    [false, false, true],
  );
  let left = 2;
  store.before = () => {
    if (left-- > 0) throw outage();
  };
  assert.deepEqual((await harness.run()).problems, []);
  assert.deepEqual((await checkBackup(store, directory)).problems, []);
});

test('two at the same time wait for each other, and a stop ends the wait', async (context) => {
  const directory = await writeSealedDirectory(context);
  const store = new MemoryStore();
  const lock = lockBackup(directory);
  const stopping = new AbortController();
  const stopped = new BackupHarness(store, directory).run(stopping.signal);
  const waiting = new BackupHarness(store, directory).run();
  stopping.abort();
  await assert.rejects(stopped, { name: 'AbortError' });
  assert.deepEqual(store.calls, []);
  lock.release();
  assert.deepEqual((await waiting).problems, []);
  assert.ok(store.calls.length > 0);
});

test('a backup stopped in the middle says so and confirms only what the store has', async (context) => {
  const directory = await writeSealedDirectory(context);
  const store = new MemoryStore();
  const stopping = new AbortController();
  store.before = () => {
    if (store.calls.length > 20) stopping.abort();
    stopping.signal.throwIfAborted();
  };
  await assert.rejects(new BackupHarness(store, directory).run(stopping.signal), { name: 'AbortError' });
  store.before = () => undefined;
  const report = await checkBackup(store, directory);
  assert.deepEqual(report.problems, []);
  assert.ok(report.segments > 0 && existsSync(join(directory, 'state/backup.json')));
  assert.deepEqual((await new BackupHarness(store, directory).run(NEVER)).problems, []);
});

test('while the store is away, a circuit lets one file at a time try', async (context) => {
  const directory = await writeSealedDirectory(context);
  const store = new MemoryStore();
  store.before = () => {
    throw outage();
  };
  const states: string[] = [];
  const circuit = new Circuit({
    ...BACKUP_CIRCUIT,
    pauses: { firstMs: 20, maxMs: 40 },
    isOutage: isStoreOutage,
    clock: systemClock,
    onChange: (state) => states.push(state),
  });
  const harness = new BackupHarness(store, directory, {
    circuit,
    attempts: BACKUP_CIRCUIT.failures,
    concurrency: 1,
  });
  await harness.run();
  assert.deepEqual(states, ['open']);
  store.before = () => undefined;
  assert.deepEqual((await harness.run()).problems, []);
  assert.deepEqual(states, ['open', 'half_open', 'closed']);
  appendFileSync(closedFiles(directory, 'service_logs', '.jsonl.gz')[0] ?? '', 'x');
  await new BackupHarness(store, directory, { circuit, target: 'elsewhere' }).run();
  assert.deepEqual(states.length, 3, 'a file that was changed is not the store being away');
});
