/** The commands of the backup against a real server. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { BackupTarget } from '../../src/core/backup-target.ts';
import { verify } from '../../src/upkeep/verify.ts';
import { writeSealedDirectory } from '../helpers/backup-harness.ts';
import { runCommandLine } from '../helpers/command-line.ts';
import { closedFiles } from '../helpers/log-directory.ts';
import { NO_S3, S3_TEST, S3Server, variablesOf } from '../helpers/s3-server.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { runMain } from './console.ts';

let server: S3Server;
before(async () => {
  if (NO_S3 === false) server = await S3Server.start();
});
after(() => server?.stop());

function envOf(
  directory: string,
  prefix: string,
  changes: Partial<BackupTarget> = {},
): Record<string, string> {
  return { LOG_OUTPUT_DIR: directory, ...variablesOf(server.target({ prefix, ...changes })) };
}

test('copied, checked, restored: each says what it did and exits 0', S3_TEST, async (context) => {
  const directory = await writeSealedDirectory(context);
  const env = envOf(directory, 'whole');
  const copied = await runMain(['backup', 'run'], [], env);
  assert.deepEqual([copied.code, copied.errors], [0, '']);
  assert.match(
    copied.output,
    /: \d+ files with \d+ bytes were copied\.\nEverything closed is in the store\.\n$/,
  );
  const again = await runMain(['backup', 'run', '--json'], [], env);
  const report = JSON.parse(again.output) as {
    ok: boolean;
    files: number;
    confirmed: Record<string, { service_logs: number }>;
  };
  assert.deepEqual([report.ok, report.files], [true, 0]);
  assert.ok((report.confirmed[directory]?.service_logs ?? 0) > 3);
  const checked = await runMain(['backup', 'verify', '--deep'], [], env);
  assert.equal(checked.code, 0);
  assert.match(
    checked.output,
    /: \d+ segments are confirmed; \d+ objects with \d+ bytes are in the store as they were copied\.\nEverything fits\.\n$/,
  );
  const target = join(temporaryDirectory(context), 'restored');
  const restored = await runMain(['restore', target], [], env);
  assert.deepEqual([restored.code, restored.errors], [0, '']);
  assert.match(
    restored.output,
    /: \d+ segments with \d+ stored records; .*\nNow run "log-consumer verify .*restored"\.\n$/,
  );
  assert.ok((await verify(target)).ok);
});

test('a corrupted object is named, and exits 1', S3_TEST, async (context) => {
  const directory = await writeSealedDirectory(context);
  const env = envOf(directory, 'corrupt');
  await runMain(['backup', 'run'], [], env);
  const folder = join(server.folder, 'corrupt/archive/audit_logs');
  const name =
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).find((path) => path.endsWith('.gz')) ?? '';
  writeFileSync(join(folder, name), 'x');
  const { code, output } = await runMain(['backup', 'verify'], [], env);
  assert.equal(code, 1);
  assert.match(
    output,
    /\nProblems:\n {2}archive\/audit_logs\/.*\.jsonl\.gz has 1 bytes, \d+ were copied\.\n$/,
  );
  const target = join(temporaryDirectory(context), 'restored');
  const restored = await runMain(['restore', target], [], env);
  assert.equal(restored.code, 1);
  assert.match(
    restored.errors,
    /^log-consumer: .*audit_logs.* is not what was copied \(SHA-256 [0-9a-f]{64}, .*\n$/,
  );
});

test('a part of the time', S3_TEST, async (context) => {
  const directory = await writeSealedDirectory(context);
  const env = envOf(directory, 'part');
  await runMain(['backup', 'run'], [], env);
  const [path = ''] = closedFiles(directory, 'service_logs', '.meta.json');
  const { closed_at: closed = '' } = JSON.parse(readFileSync(path, 'utf8')) as Record<string, string>;
  const day = closed.slice(0, 10);
  const target = join(temporaryDirectory(context), 'restored');
  const all = await runMain(['restore', '--from', day, '--to', day, '--json', target], [], env);
  assert.equal(all.code, 0, all.errors);
  const none = await runMain(['restore', '--to', '2020-01-01T00:00', target], [], env);
  assert.equal(none.code, 1);
  assert.match(none.errors, /holds no segment .* up to 2020-01-01T00:00:00\.000Z/);
  const later = new Date(Date.parse(closed) + 1).toISOString();
  const part = join(temporaryDirectory(context), 'part');
  const some = await runMain(['restore', '--from', closed, '--to', later, '--json', part], [], env);
  assert.equal(some.code, 0, some.errors);
  assert.ok((await verify(part)).ok);
  const counts = [all, some].map(({ output }) => (JSON.parse(output) as { segments: number }).segments);
  assert.ok((counts[1] ?? 0) < (counts[0] ?? 0));
});

test('wrong use exits 2, no backup at all 78', async (context) => {
  const directory = temporaryDirectory(context);
  const env = { LOG_OUTPUT_DIR: directory };
  for (const argv of [
    ['backup'],
    ['backup', 'walk'],
    ['backup', 'run', 'verify'],
    ['backup', 'run', '--deep'],
    ['restore'],
    ['restore', 'a', 'b'],
    ['restore', '--from', 'yesterday', 'a'],
    ['restore', '--from', '2026-13-01', 'a'],
    ['restore', '--from', '2026-01-02', '--to', '2026-01-01', 'a'],
  ]) {
    const { code, errors } = await runMain(argv, [], env);
    assert.equal(code, 2, argv.join(' '));
    assert.match(errors, /^log-consumer: .*\n$/);
  }
  for (const argv of [
    ['backup', 'run'],
    ['backup', 'verify'],
    ['restore', 'a'],
  ]) {
    const { code, errors } = await runMain(argv, [], env);
    assert.equal(code, 78);
    assert.match(
      errors,
      /^log-consumer: There is no backup: set backup\.bucket \(LOG_CONSUMER_BACKUP_BUCKET\)/,
    );
  }
});

const MISTAKES: readonly (readonly [string, Partial<BackupTarget>, RegExp])[] = [
  [
    'a wrong secret',
    { credentials: { accessKeyId: 'test-access', secretAccessKey: 'no', sessionToken: null } },
    /check backup\.secret_access_key/,
  ],
  ['a bucket that is not there', { bucket: 'nowhere' }, /There is no bucket nowhere at http/],
  ['a store that does not answer', { endpoint: 'http://127.0.0.1:9' }, /check that the store runs/],
];

for (const [what, changes, message] of MISTAKES) {
  test(`${what} is one sentence in every command, and in check --online`, S3_TEST, async (context) => {
    const directory = await writeSealedDirectory(context);
    const env = envOf(directory, 'mistake', changes);
    for (const argv of [
      ['backup', 'run'],
      ['backup', 'verify'],
      ['restore', join(directory, 'x')],
    ]) {
      const { code, output, errors } = await runMain(argv, [], env);
      assert.equal(code, 1);
      assert.match(argv[1] === 'run' ? output : errors, message);
    }
    const online = await runMain(['check', '--online', '--json'], [], {
      ...env,
      KAFKA_BROKERS: '127.0.0.1:9',
    });
    assert.match((JSON.parse(online.output) as { problems: string[] }).problems.join('\n'), message);
    assert.ok(!existsSync(join(directory, 'x')));
  });
}

test('check --online writes into the bucket and leaves nothing', S3_TEST, async (context) => {
  const env = { ...envOf(temporaryDirectory(context), 'trial'), KAFKA_BROKERS: '127.0.0.1:9' };
  const { output } = await runMain(['check', '--online', '--json'], [], env);
  const { problems } = JSON.parse(output) as { problems: string[] };
  assert.equal(problems.length, 1, problems.join());
  assert.match(problems[0] ?? '', /127\.0\.0\.1:9/);
  assert.ok(!existsSync(join(server.folder, 'trial/log-consumer-check')));
});

test('several instances are copied together', S3_TEST, async (context) => {
  const root = temporaryDirectory(context);
  const directories = [await writeSealedDirectory(context), await writeSealedDirectory(context)];
  mkdirSync(join(root, 'instances'));
  directories.forEach((directory, index) => {
    renameSync(directory, join(root, 'instances', `i${index}`));
  });
  const env = envOf(root, 'instances');
  const { code, output } = await runMain(['backup', 'run', '--json'], [], env);
  assert.equal(code, 0);
  assert.equal(Object.keys((JSON.parse(output) as { confirmed: object }).confirmed).length, 2);
  for (const id of ['i0', 'i1']) {
    assert.ok(existsSync(join(server.folder, 'instances/instances', id, 'state/checkpoint.json')));
  }
  rmSync(join(server.folder, 'instances/instances/i1'), { recursive: true });
  const found = await runMain(['backup', 'verify', '--json'], [], env);
  assert.equal(found.code, 1);
  assert.ok(
    (JSON.parse(found.output) as { problems: string[] }).problems.every((text) => /is missing/.test(text)),
  );
});

test('a secret is never shown', S3_TEST, async (context) => {
  const directory = await writeSealedDirectory(context);
  const env = envOf(directory, 'secret', { endpoint: 'http://127.0.0.1:9' });
  const printed = await Promise.all([
    runMain(['check', '--json'], [], env),
    runMain(['backup', 'run'], [], env),
    runMain(['backup', 'verify', '--json'], [], env),
  ]);
  for (const { output, errors } of printed) assert.ok(!`${output}${errors}`.includes('test-secret'));
  const state = ['backup.json', 'backup-owner.json'].map((name) => join(directory, 'state', name));
  for (const path of state.filter((name) => existsSync(name))) {
    assert.ok(!readFileSync(path, 'utf8').includes('test-secret'));
  }
});

test('the package that speaks to stores is loaded by nothing but a backup', async (context) => {
  const hook = join(temporaryDirectory(context), 'hook.mjs');
  writeFileSync(
    hook,
    `import { registerHooks } from 'node:module';
     registerHooks({ load(url, context, next) {
       if (url.includes('@aws-sdk')) throw new Error('loaded ' + url);
       return next(url, context);
     } });`,
  );
  const env = {
    NODE_OPTIONS: `--import ${hook}`,
    LOG_OUTPUT_DIR: await writeSealedDirectory(context),
    KAFKA_BROKERS: '127.0.0.1:9',
    LOG_CONSUMER_TELEMETRY_LOG_LEVEL: 'silent',
    OPS_PORT: '99999',
  };
  const backup = { OPS_PORT: '0', LOG_CONSUMER_BACKUP_BUCKET: 'bucket' };
  const without = await Promise.all([
    runCommandLine(['--help'], env),
    runCommandLine(['run'], env),
    runCommandLine(['check'], { ...env, ...backup }),
    runCommandLine(['check', '--online'], { ...env, OPS_PORT: '0' }),
  ]);
  for (const { errors } of without) assert.ok(!errors.includes('loaded '), errors);
  const { errors } = await runCommandLine(['backup', 'verify'], { ...env, ...backup });
  assert.match(errors, /loaded .*@aws-sdk/);
});
