import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '../helpers/service.ts';
import { committedOffsets, filedOffsets } from './helpers/group-offsets.ts';
import { report } from './helpers/report.ts';
import { scaled } from './helpers/scale.ts';
import { Scene } from './helpers/scene.ts';
import { seeded } from './helpers/seed.ts';

const DEADLINE_MS = 25_000;

/** What a start says when the stop before it was not in order. */
const REREADS = /file cut back|files are behind the group|rotation finished that was under way/;

test('row 17: SIGTERM under load', async (t) => {
  const { seed, random } = seeded(t);
  const stops = scaled({ ci: 10, full: 100 });
  const scene = await Scene.set(t, { name: 'sigterm', random });
  const traffic = scene.traffic({ rate: 20_000, atLeast: scaled({ ci: 100_000, full: 1_000_000 }) });
  let slowestMs = 0;
  for (let stopped = 0; stopped < stops; stopped += 1) {
    const service = scene.start();
    await waitFor(
      'the service to store something',
      async () => (await service.metric('logs_processed_total')) > 0,
    );
    await sleep(random.below(900));
    const startedAt = performance.now();
    const exit = await service.stop();
    const elapsedMs = performance.now() - startedAt;
    assert.deepEqual(exit, { code: 0, signal: null }, service.log);
    assert.ok(elapsedMs < DEADLINE_MS, `the stop took ${elapsedMs} ms`);
    slowestMs = Math.max(slowestMs, elapsedMs);
    assert.doesNotMatch(service.log, REREADS);
    const { bootstrap, groupId, topic, directory } = scene;
    const filed = filedOffsets(directory, topic);
    assert.ok(filed.size > 0);
    assert.deepEqual(await committedOffsets(bootstrap, groupId, topic), filed, service.log);
  }
  const produced = await traffic.finish();
  const last = scene.start();
  await scene.finish(produced);
  assert.doesNotMatch(last.log, REREADS);
  report(t, {
    row: 17,
    failure: 'SIGTERM under load',
    seed,
    figures: { stops, records: traffic.total, slowest_stop_ms: Math.round(slowestMs) },
  });
});
