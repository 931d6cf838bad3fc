import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '../helpers/service.ts';
import { report } from './helpers/report.ts';
import { scaled } from './helpers/scale.ts';
import { Scene } from './helpers/scene.ts';
import { seeded } from './helpers/seed.ts';

test('row 1: SIGKILL at random moments while records come', async (t) => {
  const { seed, random } = seeded(t);
  const kills = scaled({ ci: 20, full: 200 });
  const scene = await Scene.set(t, { name: 'sigkill', random });
  const traffic = scene.traffic({ rate: 5000, atLeast: scaled({ ci: 100_000, full: 1_000_000 }) });
  let service = scene.start();
  for (let killed = 0; killed < kills; killed += 1) {
    await waitFor(
      'the service to store something',
      async () => (await service.metric('logs_processed_total')) > 0,
    );
    await sleep(random.below(900));
    service.kill('SIGKILL');
    await service.exited;
    await scene.expelDeadMembers();
    service = scene.start();
  }
  const produced = await traffic.finish();
  const found = await scene.finish(produced, 120_000);
  assert.ok(found.stored > 0);
  report(t, {
    row: 1,
    failure: 'SIGKILL at random moments',
    seed,
    figures: { kills, records: traffic.total },
  });
});
