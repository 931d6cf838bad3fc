/** Row 18: the topic is deleted and created again. */
import { type TestContext, test } from 'node:test';
import { deleteTopic, withAdmin } from '../helpers/kafka.ts';
import { waitFor } from '../helpers/service.ts';
import { assertJumped, assertRefused, assertStored, produceRange, reached } from './helpers/positions.ts';
import { report } from './helpers/report.ts';
import { Scene } from './helpers/scene.ts';
import { seeded } from './helpers/seed.ts';

const SETTING = 'kafka.on_topic_recreated';
const EARLIEST = { LOG_CONSUMER_KAFKA_ON_TOPIC_RECREATED: 'earliest' };

const OLD = 1000;
const NEW = 300;
const JUMP = { from: OLD, to: 0, reason: 'topic_recreated' };
const OUTCOME = { produced: OLD + NEW, lost: 0 };

async function startScene(t: TestContext): Promise<Scene> {
  const { random } = seeded(t);
  const scene = await Scene.set(t, { name: 'recreated', random, partitions: 1 });
  await produceRange(scene, 0, OLD);
  return scene;
}

/** The new topic holds other records, from offset 0. */
async function recreate(scene: Scene): Promise<void> {
  const { bootstrap, topic } = scene;
  await deleteTopic(bootstrap, topic);
  await waitFor('the topic to be gone', () =>
    withAdmin(bootstrap, async (admin) => !(await admin.listTopics()).includes(topic)),
  );
  await withAdmin(bootstrap, (admin) =>
    admin.createTopics({ topics: [{ topic, numPartitions: 1, replicationFactor: 1 }], waitForLeaders: true }),
  );
  await produceRange(scene, OLD, OLD + NEW);
}

test('row 18: the topic is created again while the service is stopped', async (t) => {
  const scene = await startScene(t);
  const first = scene.start();
  await reached(scene, OLD);
  await first.stop();
  await recreate(scene);
  await assertRefused(scene.start(), SETTING);
  const service = scene.start(EARLIEST);
  await reached(scene, NEW);
  await assertJumped(scene, service, JUMP);
  await assertStored(scene, service, OUTCOME);
  report(t, {
    row: 18,
    failure: 'topic created again while the service was stopped',
    figures: { ...OUTCOME, policies: 'stop, earliest' },
  });
});

test('row 18: the topic is created again while the service runs, by default', async (t) => {
  const scene = await startScene(t);
  const running = scene.start();
  await reached(scene, OLD);
  await recreate(scene);
  await assertRefused(running, SETTING);
  const service = scene.start(EARLIEST);
  await reached(scene, NEW);
  await assertJumped(scene, service, JUMP);
  await assertStored(scene, service, OUTCOME);
  report(t, {
    row: 18,
    failure: 'topic created again while the service ran',
    figures: { ...OUTCOME, policy: 'stop' },
  });
});

test('row 18: the topic is created again while the service runs, and is to be read', async (t) => {
  const scene = await startScene(t);
  const service = scene.start(EARLIEST);
  await reached(scene, OLD);
  await recreate(scene);
  await reached(scene, NEW);
  await assertJumped(scene, service, JUMP);
  await assertStored(scene, service, OUTCOME);
  report(t, {
    row: 18,
    failure: 'topic created again while the service ran',
    figures: { ...OUTCOME, policy: 'earliest' },
  });
});
