/** Row 18: Kafka deletes records before they were read. */
import { type TestContext, test } from 'node:test';
import { verify } from '../../src/upkeep/verify.ts';
import { withAdmin } from '../helpers/kafka.ts';
import type { ServiceProcess } from '../helpers/service.ts';
import {
  assertJumped,
  assertRefused,
  assertStored,
  BATCH_RECORDS,
  produceRange,
  reached,
} from './helpers/positions.ts';
import { report } from './helpers/report.ts';
import { Scene } from './helpers/scene.ts';
import { seeded } from './helpers/seed.ts';

const SETTING = 'kafka.on_lost_records';
const STOP = { LOG_CONSUMER_KAFKA_ON_LOST_RECORDS: 'stop' };

const READ = 1000;
const PRODUCED = 3000;
const DELETED_BEFORE = 2000;
const JUMP = { from: READ, to: DELETED_BEFORE, reason: 'deleted_by_kafka' };
const OUTCOME = { produced: PRODUCED, lost: DELETED_BEFORE - READ };

async function startScene(t: TestContext): Promise<Scene> {
  const { random } = seeded(t);
  const scene = await Scene.set(t, { name: 'deleted', random, partitions: 1 });
  await produceRange(scene, 0, READ);
  return scene;
}

/** Produces the rest, of which Kafka deletes a part at once. */
async function loseRecords(scene: Scene): Promise<void> {
  await produceRange(scene, READ, PRODUCED);
  const partitions = [{ partition: 0, offset: String(DELETED_BEFORE) }];
  await withAdmin(scene.bootstrap, async (admin) => {
    // kafkajs only deletes records of a topic that it was asked about before.
    await admin.fetchTopicOffsets(scene.topic);
    await admin.deleteTopicRecords({ topic: scene.topic, partitions });
  });
}

test('row 18: records deleted while the service is stopped', async (t) => {
  const scene = await startScene(t);
  const first = scene.start();
  await reached(scene, READ);
  await first.stop();
  await loseRecords(scene);
  await assertRefused(scene.start(STOP), SETTING);
  const service = scene.start();
  await reached(scene, PRODUCED);
  await assertJumped(scene, service, JUMP);
  await assertStored(scene, service, OUTCOME);
  report(t, {
    row: 18,
    failure: 'log start moved past the position of a stopped service',
    figures: { ...OUTCOME, policies: 'stop, earliest' },
  });
});

const WHILE_BEHIND = [
  { policy: 'earliest', decide: (service: ServiceProcess) => service },
  {
    policy: 'stop',
    decide: async (service: ServiceProcess, scene: Scene) => {
      await assertRefused(service, SETTING);
      return scene.start();
    },
  },
];

for (const { policy, decide } of WHILE_BEHIND) {
  test(`row 18: records deleted while the service is behind, with the policy ${policy}`, async (t) => {
    const scene = await startScene(t);
    const running = scene.start({ LOG_CONSUMER_KAFKA_ON_LOST_RECORDS: policy });
    await reached(scene, READ);
    // It stands still, well within its session, while the records go.
    running.kill('SIGSTOP');
    await loseRecords(scene);
    running.kill('SIGCONT');
    const service = await decide(running, scene);
    await reached(scene, PRODUCED);
    // A fetch that was under way has brought the first batch before it was deleted, or not.
    const lost = (await holdsFirstBatch(scene)) ? OUTCOME.lost - BATCH_RECORDS : OUTCOME.lost;
    await assertJumped(scene, service, { ...JUMP, from: DELETED_BEFORE - lost });
    await assertStored(scene, service, { ...OUTCOME, lost });
    report(t, {
      row: 18,
      failure: 'log start moved past the position of a running service',
      figures: { ...OUTCOME, lost, policy },
    });
  });
}

/** Whether the files hold the first of the records that were to be lost. */
async function holdsFirstBatch({ directory, topic }: Scene): Promise<boolean> {
  const { partitions } = await verify(directory);
  return partitions[`${topic}/0`]?.lost[0]?.from === READ + BATCH_RECORDS;
}
