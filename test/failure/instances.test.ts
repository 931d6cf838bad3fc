import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../src/generate/random.ts';
import { type ServiceProcess, waitFor } from '../helpers/service.ts';
import { report } from './helpers/report.ts';
import { scaled } from './helpers/scale.ts';
import { Scene, waitUntilOpen } from './helpers/scene.ts';
import { type Seeded, seeded } from './helpers/seed.ts';

const INSTANCES = ['a', 'b', 'c'];

/** What can happen to an instance; each leaves it running in the end. */
const EVENTS = ['kill', 'leave', 'stop_and_continue'] as const;

/** Three instances of one group, each with its own part of the root. */
class Fleet {
  readonly #scene: Scene;
  readonly #random: Random;
  readonly #running = new Map<string, ServiceProcess>();
  readonly counts = { kill: 0, leave: 0, stop_and_continue: 0 };

  constructor(scene: Scene, random: Random) {
    this.#scene = scene;
    this.#random = random;
    for (const id of INSTANCES) this.#start(id);
  }

  #start(id: string): void {
    this.#running.set(id, this.#scene.start({ INSTANCE_ID: id }));
  }

  async disturb(): Promise<void> {
    const id = this.#random.pick(INSTANCES);
    const event = this.#random.pick(EVENTS);
    const service = this.#running.get(id);
    if (service === undefined) return;
    await waitUntilOpen(service);
    this.counts[event] += 1;
    if (event === 'stop_and_continue') {
      service.kill('SIGSTOP');
      // Beyond the session of 6 s, so that the partitions move to others meanwhile.
      await sleep(7000 + this.#random.below(3000));
      service.kill('SIGCONT');
      return;
    }
    if (event === 'kill') service.kill('SIGKILL');
    else assert.deepEqual(await service.stop(), { code: 0, signal: null }, service.log);
    await service.exited;
    await sleep(this.#random.below(4000));
    this.#start(id);
  }

  /** Whoever ended without being told to is a failure of its own. */
  assertAllRun(): void {
    for (const [id, { child, log }] of this.#running) {
      assert.equal(child.exitCode, null, `instance ${id} ended by itself:\n${log}`);
    }
  }
}

async function disturbFor(t: TestContext, { seed, random }: Seeded, seconds: number, rate: number) {
  const scene = await Scene.set(t, { name: 'instances', random });
  const traffic = scene.traffic({ rate });
  const fleet = new Fleet(scene, random);
  const endsAt = performance.now() + seconds * 1000;
  while (performance.now() < endsAt) {
    await sleep(500 + random.below(2500));
    await fleet.disturb();
  }
  const produced = await traffic.finish();
  fleet.assertAllRun();
  const { stored, quarantined } = await scene.finish(produced, 180_000);
  const figures = { seconds, ...fleet.counts, produced: traffic.total, stored, quarantined };
  report(t, { row: 8, failure: 'three instances join, leave, are killed and stand still', seed, figures });
}

test('rows 8 and 9: three instances join, leave, are killed and stand still beyond their session', async (t) => {
  await disturbFor(t, seeded(t), scaled({ ci: 40, full: 600 }), scaled({ ci: 3000, full: 20_000 }));
});

test('row 8: a partition that moves goes on exactly where its last owner ended', async (t) => {
  const { seed, random } = seeded(t);
  const scene = await Scene.set(t, { name: 'moving', random, partitions: 4 });
  const traffic = scene.traffic({ rate: 2000 });
  const first = scene.start({ INSTANCE_ID: 'first' });
  await waitFor('the first to store', async () => (await first.metric('logs_processed_total')) > 0);
  const second = scene.start({ INSTANCE_ID: 'second' });
  await waitFor('the second to store', async () => (await second.metric('logs_processed_total')) > 0);
  assert.deepEqual(await first.stop(), { code: 0, signal: null }, first.log);
  await sleep(1000);
  const third = scene.start({ INSTANCE_ID: 'first' });
  await waitFor('the first to store again', async () => (await third.metric('logs_processed_total')) > 0);
  assert.equal(await second.metric('log_consumer_roll_backs_total'), 0, 'an orderly move cuts nothing');
  const produced = await traffic.finish();
  const { stored } = await scene.finish(produced);
  report(t, { row: 8, failure: 'a partition moves in order', seed, figures: { stored } });
});
