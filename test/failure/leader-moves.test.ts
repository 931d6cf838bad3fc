import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startCluster } from '../../scripts/kafka/cluster.ts';
import { endOffsets } from '../helpers/kafka.ts';
import { waitFor } from '../helpers/service.ts';
import { leadersOf, moveLeaders } from './helpers/leaders.ts';
import { report } from './helpers/report.ts';
import { scaled } from './helpers/scale.ts';
import { Scene } from './helpers/scene.ts';
import { seeded } from './helpers/seed.ts';

test('row 12: leaders move between three brokers, one of which is killed', async (t) => {
  const { seed, random } = seeded(t);
  const intervalMs = scaled({ ci: 3000, full: 10_000 });
  const rounds = scaled({ ci: 7, full: 30 });
  const cluster = await startCluster(3);
  t.after(() => cluster.stop());
  const { bootstrap } = cluster;
  const scene = await Scene.set(t, { name: 'leaders', random, bootstrap, replicas: 3 });
  const service = scene.start();
  const traffic = scene.traffic({ rate: 2000 });
  await waitFor('the first records', async () => (await service.metric('logs_processed_total')) > 0);
  let moved = 0;
  for (let round = 0; round < rounds; round += 1) {
    const before = await leadersOf(bootstrap, scene.topic);
    await moveLeaders(bootstrap, scene.topic);
    const after = await leadersOf(bootstrap, scene.topic);
    moved += [...after].filter(([partition, leader]) => before.get(partition) !== leader).length;
    await sleep(intervalMs);
  }
  assert.ok(moved > rounds, `only ${moved} leaders moved`);
  // Never the first, which the test asks.
  const killed = cluster.nodes[1 + random.below(2)];
  assert.ok(killed !== undefined);
  killed.kill('SIGKILL');
  await killed.ended();
  await sleep(intervalMs);
  await killed.restart();
  await sleep(intervalMs);
  const produced = await traffic.finish();
  const ends = await endOffsets(bootstrap, scene.topic);
  const inKafka = produced.map((_, partition) => Number(ends.get(partition)));
  assert.deepEqual(inKafka, produced, 'Kafka itself has every record once');
  const found = await scene.finish(produced, 120_000);
  report(t, {
    row: 12,
    failure: 'leaders moved between three brokers, one broker killed',
    seed,
    figures: {
      rounds,
      interval_ms: intervalMs,
      leaders_moved: moved,
      records: found.stored + found.quarantined,
    },
  });
});
