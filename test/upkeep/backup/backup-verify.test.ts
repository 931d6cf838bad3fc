/** What `backup verify` finds in a store. */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { closedSegments } from '../../../src/storage/recovery.ts';
import { BackupHarness, checkBackup, writeSealedDirectory } from '../../helpers/backup-harness.ts';
import { MemoryStore } from '../../helpers/memory-store.ts';
import { removeOldest } from '../../helpers/removal.ts';

type Damage = readonly [
  what: string,
  suffix: string,
  damage: (store: MemoryStore, key: string) => void,
  problem: RegExp,
];

const flip = (bytes: Buffer): Buffer =>
  Buffer.from(bytes.map((byte, index) => (index === 30 ? byte ^ 1 : byte)));
const bytesOf = (store: MemoryStore, key: string): Buffer => store.objects.get(key)?.bytes ?? Buffer.alloc(0);

const DAMAGES: readonly Damage[] = [
  [
    'lines gone',
    '.jsonl.gz',
    (store, key) => store.objects.delete(key),
    /service_logs-.*\.jsonl\.gz is missing/,
  ],
  [
    'facts gone',
    '.meta.json',
    (store, key) => store.objects.delete(key),
    /service_logs-.*\.meta\.json is missing/,
  ],
  [
    'lines cut',
    '.jsonl.gz',
    (store, key) => store.overwrite(key, bytesOf(store, key).subarray(1)),
    /\.jsonl\.gz has \d+ bytes, \d+ were copied/,
  ],
  [
    'lines replaced by others of the same size',
    '.jsonl.gz',
    (store, key) => store.overwrite(key, flip(bytesOf(store, key))),
    /\.jsonl\.gz has another SHA-256 than the file that was copied/,
  ],
  [
    'facts that are none',
    '.meta.json',
    (store, key) => store.overwrite(key, Buffer.from('no facts')),
    /\.meta\.json does not hold the facts of this segment/,
  ],
  [
    'facts of another segment',
    '.meta.json',
    (store, key) => store.overwrite(key, bytesOf(store, store.keys('.meta.json')[0] ?? '')),
    /does not hold the facts of this segment/,
  ],
];

for (const [what, suffix, damage, problem] of DAMAGES) {
  test(`it finds ${what}, whether or not the archive still has the segment`, async (context) => {
    const directory = await writeSealedDirectory(context);
    const store = new MemoryStore();
    await new BackupHarness(store, directory).run();
    const all = await checkBackup(store, directory);
    const key = store.keys(suffix).find((name) => name.includes('/service_logs/')) ?? '';
    damage(store, key);
    for (const isRemoved of [false, true]) {
      if (isRemoved) await removeOldest(directory, 'service_logs');
      const report = await checkBackup(store, directory);
      assert.equal(report.ok, false);
      assert.match(report.problems.join('\n'), problem);
      assert.equal(report.segments, all.segments);
      assert.ok(report.objects < all.objects);
    }
  });
}

test('a segment that is gone as a whole is found too', async (context) => {
  const directory = await writeSealedDirectory(context);
  const store = new MemoryStore();
  await new BackupHarness(store, directory).run();
  await removeOldest(directory, 'service_logs');
  assert.deepEqual((await checkBackup(store, directory)).problems, []);
  for (const key of store.keys('')) if (/service_logs-.*-0000000[12]\./.test(key)) store.objects.delete(key);
  const { problems } = await checkBackup(store, directory);
  assert.equal(problems.length, 2);
  assert.match(problems[0] ?? '', /^Segment 1 of service_logs is missing: the store holds nothing of it\.$/);
  assert.match(
    problems[1] ?? '',
    /^Segment 2 of service_logs is missing: the store holds nothing of archive\/service_logs/,
  );
});

test('facts that say something else than the archive are found', async (context) => {
  const directory = await writeSealedDirectory(context);
  const store = new MemoryStore();
  await new BackupHarness(store, directory).run();
  const key = store.keys('.meta.json').find((name) => name.includes('/service_logs/')) ?? '';
  store.overwrite(
    key,
    Buffer.from(
      bytesOf(store, key)
        .toString()
        .replace(/"records":\d+/, '"records":99'),
    ),
  );
  assert.match(
    (await checkBackup(store, directory)).problems.join(),
    /differs from the facts in the archive/,
  );
});

test('bytes that changed under a checksum that did not are found by reading them', async (context) => {
  const directory = await writeSealedDirectory(context);
  const store = new MemoryStore();
  await new BackupHarness(store, directory).run();
  const object = store.objects.get(store.keys('.jsonl.gz')[0] ?? '');
  assert.ok(object !== undefined);
  object.bytes = flip(object.bytes);
  assert.ok((await checkBackup(store, directory)).ok, 'the store itself does not know');
  const { problems } = await checkBackup(store, directory, { deep: true });
  assert.equal(problems.length, 1);
  assert.match(problems[0] ?? '', /does not read back as it was copied: the store has changed its bytes/);
});

test('sidecars are held against the archive, or against what was stored with them', async (context) => {
  const directory = await writeSealedDirectory(context);
  const [first] = closedSegments(directory, 'service_logs');
  assert.ok(first !== undefined);
  writeFileSync(`${first.path}.parquet`, 'columns, more than thirty bytes of them');
  const store = new MemoryStore();
  await new BackupHarness(store, directory).run();
  const [key = ''] = store.keys('.parquet');
  assert.deepEqual((await checkBackup(store, directory, { deep: true })).problems, []);
  rmSync(`${first.path}.parquet`);
  assert.deepEqual((await checkBackup(store, directory, { deep: true })).problems, []);
  const object = store.objects.get(key);
  assert.ok(object !== undefined);
  object.bytes = flip(object.bytes);
  assert.match(
    (await checkBackup(store, directory, { deep: true })).problems.join(),
    /\.parquet does not read back/,
  );
  writeFileSync(`${first.path}.parquet`, 'columns, other than thirty bytes of them');
  assert.match(
    (await checkBackup(store, directory)).problems.join(),
    /\.parquet has \d+ bytes, \d+ were copied/,
  );
});

test('what is not confirmed yet is not looked for', async (context) => {
  const directory = await writeSealedDirectory(context);
  const report = await checkBackup(new MemoryStore(), directory);
  assert.deepEqual(report, { ok: true, deep: false, segments: 0, objects: 0, bytes: 0, problems: [] });
  const store = new MemoryStore();
  await new BackupHarness(store, directory).run();
  assert.equal((await checkBackup(store, directory, { target: 'elsewhere' })).segments, 0);
});
