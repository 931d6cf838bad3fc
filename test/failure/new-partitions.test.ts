import assert from 'node:assert/strict';
import { test } from 'node:test';
import { uniqueMessage } from '../helpers/exactness.ts';
import { produce, withAdmin } from '../helpers/kafka.ts';
import { waitFor } from '../helpers/service.ts';
import { filedOffsets } from './helpers/group-offsets.ts';
import { report } from './helpers/report.ts';
import { scaled } from './helpers/scale.ts';
import { Scene } from './helpers/scene.ts';
import { seeded } from './helpers/seed.ts';

/** The service looks at the topic every 10 s, and the group then takes a moment to share it out anew. */
const FOUND_WITHIN_MS = 30_000;

test('row 19: partitions added while running are read from their beginning', async (t) => {
  const { seed, random } = seeded(t);
  const additions = scaled({ ci: 2, full: 8 });
  const scene = await Scene.set(t, { name: 'new-partitions', random, partitions: 2 });
  const { bootstrap, topic, directory } = scene;
  const service = scene.start();
  const traffic = scene.traffic({ rate: 2000 });
  await waitFor('the first records', async () => (await service.metric('logs_processed_total')) > 0);
  const produced: number[] = [];
  let slowestMs = 0;
  for (let partition = 2; partition < 2 + additions; partition += 1) {
    const records = 500 + random.below(500);
    const messages = Array.from({ length: records }, (_, sequence) => uniqueMessage(partition, sequence));
    await withAdmin(bootstrap, (admin) =>
      admin.createPartitions({ topicPartitions: [{ topic, count: partition + 1 }] }),
    );
    const addedAt = performance.now();
    // Before the service can know of the partition: these records are the ones to be lost.
    await produce(bootstrap, topic, messages, { batchRecords: 100 });
    produced.push(records);
    await waitFor(
      'the new partition to be read',
      async () => filedOffsets(directory, topic).get(partition) === records,
      FOUND_WITHIN_MS,
    );
    slowestMs = Math.max(slowestMs, performance.now() - addedAt);
  }
  const found = await scene.finish([...(await traffic.finish()), ...produced]);
  assert.doesNotMatch(service.log, /position moved/);
  report(t, {
    row: 19,
    failure: 'partitions added while running',
    seed,
    figures: {
      partitions_added: additions,
      records: found.stored + found.quarantined,
      slowest_to_be_read_ms: Math.round(slowestMs),
    },
  });
});
