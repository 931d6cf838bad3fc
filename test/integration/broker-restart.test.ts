import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startKafka } from '../../scripts/kafka/embedded-kafka.ts';
import { verify } from '../../src/upkeep/verify.ts';
import { checkExactness, EXACT, uniqueMessage } from '../helpers/exactness.ts';
import { createTopic, produce } from '../helpers/kafka.ts';
import { ServiceProcess, waitFor } from '../helpers/service.ts';

const BATCH = 2000;

test('a broker that is killed and comes back loses nothing and doubles nothing', async (t) => {
  const broker = await startKafka();
  t.after(() => broker.stop());
  const { bootstrap } = broker;
  const topic = await createTopic(bootstrap, 'restart', { partitions: 2 });
  const directory = mkdtempSync(join(tmpdir(), 'broker-restart-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const service = new ServiceProcess({ bootstrap, topic, groupId: `group-${topic}`, directory });
  t.after(() => service.stop());
  let produced = 0;
  const produceMore = async (): Promise<void> => {
    const messages = [0, 1].flatMap((partition) =>
      Array.from({ length: BATCH }, (_, index) => uniqueMessage(partition, produced + index)),
    );
    await produce(bootstrap, topic, messages, { batchRecords: 500 });
    produced += BATCH;
  };
  const stored = async (): Promise<boolean> => {
    const { partitions } = await verify(directory);
    return [0, 1].every((partition) => partitions[`${topic}/${partition}`]?.next_offset === produced);
  };
  await produceMore();
  await waitFor('the first records', stored);
  for (const outageMs of [500, 8000]) {
    broker.kill('SIGKILL');
    await broker.ended();
    await sleep(outageMs);
    await broker.restart();
    await produceMore();
    await waitFor('the records after the outage', stored, 90_000);
  }
  assert.deepEqual(await service.stop(), { code: 0, signal: null }, service.log);
  const { lost, duplicated, altered, unordered, torn } = await checkExactness(directory, [
    produced,
    produced,
  ]);
  assert.deepEqual({ lost, duplicated, altered, unordered, torn }, EXACT);
  assert.deepEqual((await verify(directory)).problems, []);
});
