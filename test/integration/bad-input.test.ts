import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { runCommandLine } from '../helpers/command-line.ts';
import { createTopic, testBroker } from '../helpers/kafka.ts';
import { ServiceProcess, waitFor } from '../helpers/service.ts';

const directory = mkdtempSync(join(tmpdir(), 'bad-input-'));
after(() => rmSync(directory, { recursive: true, force: true }));

const CLOSED_PORT = '127.0.0.1:1';

test('an unknown configuration key ends every command with 78, the key and the nearest one', async () => {
  const file = join(directory, 'config.yaml');
  writeFileSync(file, 'kafka:\n  topik: logs\n');
  for (const command of ['run', 'check']) {
    const { code, errors } = await runCommandLine([command, '--config', file]);
    assert.equal(code, 78);
    assert.match(errors, /line 2: unknown key kafka\.topik; the nearest valid key is kafka\.topic/);
  }
});

test('check --online names the broker that does not answer', async () => {
  const { code, output } = await runCommandLine(['check', '--online', '--json'], {
    KAFKA_BROKERS: CLOSED_PORT,
    LOG_OUTPUT_DIR: directory,
  });
  assert.equal(code, 1);
  const report = JSON.parse(output) as { ok: boolean; problems: string[] };
  assert.equal(report.ok, false);
  assert.match(report.problems[0] ?? '', /No Kafka broker answers at 127\.0\.0\.1:1 .*KAFKA_BROKERS/);
});

test('run says at once that the broker does not answer, keeps trying, and stops when told', async () => {
  const service = new ServiceProcess({
    bootstrap: CLOSED_PORT,
    topic: 'logs',
    groupId: 'g',
    directory: join(directory, 'no-broker'),
  });
  await waitFor('the warning', () => /No Kafka broker answers at 127\.0\.0\.1:1/.test(service.log), 20_000);
  const ready = await service.get('/health/ready');
  assert.equal(ready.status, 503);
  assert.equal((await service.get('/health/live')).status, 200);
  assert.deepEqual(await service.stop(), { code: 0, signal: null });
});

test('a missing topic ends run with 1 and a sentence', async () => {
  const bootstrap = await testBroker();
  const service = new ServiceProcess({
    bootstrap,
    topic: 'no-such-topic',
    groupId: 'g',
    directory: join(directory, 'no-topic'),
  });
  assert.deepEqual(await service.exited, { code: 1, signal: null });
  assert.match(service.log, /The topic \\"no-such-topic\\" does not exist on this broker: create it/);
});

test('a directory that cannot be written ends run with 1 and a sentence', async () => {
  const file = join(directory, 'a-file');
  writeFileSync(file, '');
  const service = new ServiceProcess({
    bootstrap: CLOSED_PORT,
    topic: 'logs',
    groupId: 'g',
    directory: join(file, 'below'),
  });
  assert.deepEqual(await service.exited, { code: 1, signal: null });
  assert.match(service.log, /Cannot use the output directory .*a-file\/below .*LOG_OUTPUT_DIR/);
});

test('a second process on the same directory ends with 1 and the first goes on', async () => {
  const bootstrap = await testBroker();
  const topic = await createTopic(bootstrap, 'locked');
  const options = { bootstrap, topic, groupId: `group-${topic}`, directory: join(directory, 'locked') };
  const first = new ServiceProcess(options);
  try {
    await waitFor('the first to be ready', async () => (await first.get('/health/ready')).status === 200);
    const second = new ServiceProcess(options);
    assert.deepEqual(await second.exited, { code: 1, signal: null });
    assert.match(second.log, new RegExp(`in use by process ${first.child.pid} on `));
    assert.equal((await first.get('/health/ready')).status, 200);
  } finally {
    assert.deepEqual(await first.stop(), { code: 0, signal: null });
  }
});
