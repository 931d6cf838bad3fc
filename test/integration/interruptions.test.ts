/** Things that stop the service for a while without ending it. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { verify } from '../../src/upkeep/verify.ts';
import { checkExactness, EXACT, uniqueMessage } from '../helpers/exactness.ts';
import { createTopic, produce, testBroker } from '../helpers/kafka.ts';
import { ServiceProcess, waitFor } from '../helpers/service.ts';

const BATCH = 3000;

interface Scene {
  readonly service: ServiceProcess;
  readonly directory: string;
  /** Produces BATCH more records. */
  produceMore(): Promise<void>;
  /** Whether everything produced is durable. */
  isStored(): Promise<boolean>;
  /** Stops the service and checks that everything is there once. */
  finish(): Promise<void>;
}

async function setTheScene(t: TestContext, directory: string): Promise<Scene> {
  const bootstrap = await testBroker();
  const topic = await createTopic(bootstrap, 'interrupted');
  const service = new ServiceProcess({ bootstrap, topic, groupId: `group-${topic}`, directory });
  t.after(() => service.stop());
  let produced = 0;
  return {
    service,
    directory,
    async produceMore() {
      const messages = Array.from({ length: BATCH }, (_, index) => uniqueMessage(0, produced + index));
      await produce(bootstrap, topic, messages, { batchRecords: 500 });
      produced += BATCH;
    },
    async isStored() {
      return (await verify(directory)).partitions[`${topic}/0`]?.next_offset === produced;
    },
    async finish() {
      assert.deepEqual(await service.stop(), { code: 0, signal: null }, service.log);
      const { lost, duplicated, altered, unordered, torn } = await checkExactness(directory, [produced]);
      assert.deepEqual({ lost, duplicated, altered, unordered, torn }, EXACT);
      assert.deepEqual((await verify(directory)).problems, []);
    },
  };
}

test('a process that stood still beyond its session joins again and goes on exactly', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'stopped-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const scene = await setTheScene(t, directory);
  await scene.produceMore();
  await waitFor('the first records', () => scene.isStored());
  await scene.produceMore();
  scene.service.kill('SIGSTOP');
  await sleep(9000);
  scene.service.kill('SIGCONT');
  await scene.produceMore();
  await waitFor('the rest', () => scene.isStored());
  await scene.finish();
});

test('a stop while the group still waits for a dead member does not wait with it', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'joining-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const bootstrap = await testBroker();
  const topic = await createTopic(bootstrap, 'joining');
  const env = { LOG_CONSUMER_KAFKA_SESSION_TIMEOUT: '25s' };
  const options = { bootstrap, topic, groupId: `group-${topic}`, directory, env };
  const dead = new ServiceProcess(options);
  await waitFor('the first to join', async () => (await dead.get('/health/ready')).status === 200);
  dead.kill('SIGKILL');
  await dead.exited;
  const service = new ServiceProcess(options);
  await waitFor('the second to be consuming', () => service.log.includes('files are ready'));
  await sleep(1000);
  const startedAt = performance.now();
  assert.deepEqual(await service.stop(), { code: 0, signal: null }, service.log);
  assert.ok(performance.now() - startedAt < 10_000, 'the session of the dead member lasts longer');
});
