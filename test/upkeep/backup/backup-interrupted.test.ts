/** A real store, and a backup that is cut off at every single request. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { targetIdentity } from '../../../src/core/backup-target.ts';
import type { WriteUnit } from '../../../src/core/messages.ts';
import { S3Store } from '../../../src/upkeep/backup/s3-store.ts';
import { verify } from '../../../src/upkeep/verify.ts';
import { BackupHarness, checkBackup, restoreAll, sealAll } from '../../helpers/backup-harness.ts';
import { closedFiles } from '../../helpers/log-directory.ts';
import { type CutMode, S3Proxy } from '../../helpers/s3-proxy.ts';
import { NO_S3, S3_TEST, S3Server, variablesOf } from '../../helpers/s3-server.ts';
import { PROJECT_DIRECTORY } from '../../helpers/service.ts';
import { temporaryDirectory } from '../../helpers/temporary-directory.ts';
import { unitOf } from '../../helpers/write-units.ts';
import { WriterHarness } from '../../helpers/writer-harness.ts';

const MIB = 1024 * 1024;

let server: S3Server;
let proxy: S3Proxy;
before(async () => {
  if (NO_S3 !== false) return;
  server = await S3Server.start();
  proxy = await S3Proxy.start(server.endpoint);
});
after(async () => {
  proxy?.stop();
  await server?.stop();
});

/** One record that does not get smaller by compression. */
function largeUnit(offset: number, bytes: number): WriteUnit {
  const line = Buffer.from(`{"random":"${randomBytes(bytes).toString('base64')}"}\n`);
  const output = new ArrayBuffer(line.length);
  new Uint8Array(output).set(line);
  const regions = [{ file: 'service_logs', start: 0, end: line.length, records: 1 }] as const;
  return { ...unitOf(0, offset, [[]]), output, regions };
}

/** Three closed segments of service_logs, of which one takes three parts, and one of the quarantine. */
async function writeDirectory(context: TestContext): Promise<string> {
  const directory = temporaryDirectory(context);
  const harness = new WriterHarness(directory, { maxFileBytes: 80, bufferRecords: 1 });
  harness.append(
    unitOf(0, 0, [[], 'quarantined'], 50),
    largeUnit(2, 12 * MIB),
    unitOf(0, 3, [[], 'quarantined'], 50),
  );
  harness.append(unitOf(0, 5, [[]], 50));
  await harness.stop();
  await sealAll(directory);
  return directory;
}

function open(prefix: string, endpoint = server.endpoint): S3Store {
  return new S3Store(server.target({ prefix, endpoint }), { maxAttempts: 1 });
}

test('a real store: copied, checked, restored, and accepted by verify', S3_TEST, async (context) => {
  const directory = await writeDirectory(context);
  proxy.reset();
  const store = open('round', proxy.endpoint);
  const { problems, confirmed } = await new BackupHarness(store, directory).run();
  assert.deepEqual(problems, []);
  assert.deepEqual([confirmed.service_logs, confirmed.quarantine], [3, 1]);
  assert.equal(proxy.requests.filter((request) => request.includes('partNumber=')).length, 3);
  assert.deepEqual((await checkBackup(store, directory, { deep: true })).problems, []);
  const target = join(temporaryDirectory(context), 'restored');
  await restoreAll(store, target);
  const report = await verify(target);
  assert.deepEqual([report.problems, report.records], [[], 3]);
  const [large, restored] = [directory, target].map(
    (path) => closedFiles(path, 'service_logs', '.jsonl.gz')[1] ?? '',
  );
  assert.ok(readFileSync(large ?? '').equals(readFileSync(restored ?? '')));
});

test('a byte that changed in the store, of a whole object and of one in parts', S3_TEST, async (context) => {
  const directory = await writeDirectory(context);
  const store = open('rotten');
  await new BackupHarness(store, directory).run();
  const folder = join(server.folder, 'rotten/archive/service_logs');
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.gz'),
  );
  assert.equal(names.length, 3);
  for (const name of names) {
    const path = join(folder, name);
    const bytes = readFileSync(path);
    const middle = Math.floor(bytes.length / 2);
    bytes[middle] = (bytes[middle] ?? 0) ^ 1;
    writeFileSync(path, bytes);
  }
  const { problems } = await checkBackup(store, directory, { deep: true });
  assert.equal(problems.length, 3);
  for (const problem of problems) assert.match(problem, /does not read back as it was copied/);
  await assert.rejects(restoreAll(store, join(temporaryDirectory(context), 'x')), /is not what was copied/);
});

for (const mode of ['before', 'after'] as const) {
  test(
    `a backup cut off at every request, ${mode} it takes effect, is completed by the next`,
    S3_TEST,
    async (context) => {
      const original = await writeDirectory(context);
      proxy.reset();
      await new BackupHarness(open(`whole-${mode}`, proxy.endpoint), copyOf(context, original)).run();
      const requests = proxy.requests.length;
      assert.ok(requests > 25, `${requests} requests`);
      for (let served = 0; served < requests; served += 1) {
        await cutOff(context, original, `cut-${mode}-${served}`, served, mode);
      }
    },
  );
}

function copyOf(context: TestContext, original: string): string {
  const directory = join(temporaryDirectory(context), 'logs');
  cpSync(original, directory, { recursive: true });
  return directory;
}

async function cutOff(context: TestContext, original: string, prefix: string, served: number, mode: CutMode) {
  const directory = copyOf(context, original);
  proxy.reset(served, mode);
  const cut = open(prefix, proxy.endpoint);
  const { problems } = await new BackupHarness(cut, directory).run();
  assert.notDeepEqual(problems, [], prefix);
  const store = open(prefix);
  const halfway = await checkBackup(store, directory);
  assert.deepEqual(halfway.problems, [], `${prefix}: what is confirmed is there`);
  const completed = await new BackupHarness(store, directory).run();
  assert.deepEqual(completed.problems, [], prefix);
  const whole = await checkBackup(store, directory);
  assert.deepEqual([whole.problems, whole.segments], [[], 4], prefix);
  assert.deepEqual(await server.openUploads(prefix), [], prefix);
  cut.close();
  store.close();
}

test('the process killed at some requests', S3_TEST, async (context) => {
  const original = await writeDirectory(context);
  const requests = 33;
  for (let served = 1; served < requests; served += 6) {
    const directory = copyOf(context, original);
    const backup = server.target({ prefix: `killed-${served}`, endpoint: proxy.endpoint });
    const child = spawn(process.execPath, ['bin/log-consumer.mjs', 'backup', 'run'], {
      cwd: PROJECT_DIRECTORY,
      env: { PATH: process.env['PATH'] ?? '', LOG_OUTPUT_DIR: directory, ...variablesOf(backup) },
      stdio: 'ignore',
    });
    proxy.reset(served, 'after');
    proxy.onCut = () => child.kill('SIGKILL');
    const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
    assert.equal(signal, 'SIGKILL');
    proxy.reset();
    proxy.onCut = () => undefined;
    const store = new S3Store(backup, { maxAttempts: 1 });
    const options = { target: targetIdentity(backup) };
    assert.deepEqual((await checkBackup(store, directory, options)).problems, []);
    assert.deepEqual((await new BackupHarness(store, directory, options).run()).problems, []);
    assert.deepEqual((await checkBackup(store, directory, options)).problems, []);
    store.close();
  }
});
