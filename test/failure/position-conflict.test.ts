/** Row 18: somebody else moves the offset of the group beyond what the files hold. */
import { type TestContext, test } from 'node:test';
import { withAdmin } from '../helpers/kafka.ts';
import { assertJumped, assertRefused, assertStored, produceRange, reached } from './helpers/positions.ts';
import { report } from './helpers/report.ts';
import { Scene } from './helpers/scene.ts';
import { seeded } from './helpers/seed.ts';

const READ = 1000;
const PRODUCED = 2000;
const MOVED_TO = 1500;

function decidedBy(value: string): Readonly<Record<string, string>> {
  return { LOG_CONSUMER_KAFKA_ON_POSITION_CONFLICT: value };
}

/** The files hold READ records, the group says MOVED_TO. */
async function setConflict(t: TestContext): Promise<Scene> {
  const { random } = seeded(t);
  const scene = await Scene.set(t, { name: 'conflict', random, partitions: 1 });
  await produceRange(scene, 0, READ);
  const first = scene.start();
  await reached(scene, READ);
  await first.stop();
  await produceRange(scene, READ, PRODUCED);
  const { bootstrap, groupId, topic } = scene;
  const partitions = [{ partition: 0, offset: String(MOVED_TO) }];
  await withAdmin(bootstrap, (admin) => admin.setOffsets({ groupId, topic, partitions }));
  return scene;
}

test('row 18: a moved group offset stops the service, until the checkpoint is to be trusted', async (t) => {
  const scene = await setConflict(t);
  await assertRefused(scene.start(), 'kafka.on_position_conflict');
  const service = scene.start(decidedBy('checkpoint'));
  await reached(scene, PRODUCED);
  const outcome = { produced: PRODUCED, lost: 0 };
  await assertStored(scene, service, outcome);
  report(t, {
    row: 18,
    failure: 'group offset moved by somebody else',
    figures: { ...outcome, policies: 'stop, checkpoint' },
  });
});

test('row 18: a moved group offset is followed where the group is to be trusted', async (t) => {
  const scene = await setConflict(t);
  const service = scene.start(decidedBy('group'));
  await reached(scene, PRODUCED);
  await assertJumped(scene, service, { from: READ, to: MOVED_TO, reason: 'taken_from_group' });
  const outcome = { produced: PRODUCED, lost: MOVED_TO - READ };
  await assertStored(scene, service, outcome);
  report(t, {
    row: 18,
    failure: 'group offset moved by somebody else',
    figures: { ...outcome, policy: 'group' },
  });
});
