import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type ServiceProcess, waitFor } from '../helpers/service.ts';
import { report } from './helpers/report.ts';
import { scaled } from './helpers/scale.ts';
import { Scene } from './helpers/scene.ts';
import { seeded } from './helpers/seed.ts';

const PRELOAD = new URL('preload/thread-death.mjs', import.meta.url).href;

/** A process that has lost a thread has to be gone by then. */
const NO_HANG_MS = 30_000;

const DEATHS = ['writer', 'transform'].flatMap((thread) =>
  ['exit', 'throw', 'memory'].map((death) => ({ thread, death })),
);

async function mustExit(service: ServiceProcess, what: string): Promise<void> {
  let isGone = false;
  const exit = service.exited.then((found) => {
    isGone = true;
    return found;
  });
  await waitFor(`the process to end after ${what}`, () => isGone, NO_HANG_MS);
  const { code } = await exit;
  assert.equal(code, 1, `${what}: ${service.log}`);
  assert.match(service.log, /"code":"WORKER_DIED"/, what);
}

test('row 15: a transform worker or the writer thread dies or runs out of memory', async (t) => {
  const { seed, random } = seeded(t);
  const folder = mkdtempSync(join(tmpdir(), 'thread-death-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const order = join(folder, 'order');
  const env = { NODE_OPTIONS: `--import=${PRELOAD}`, THREAD_DEATH_ORDER: order };
  const scene = await Scene.set(t, { name: 'thread-death', random });
  const traffic = scene.traffic({ rate: 3000, atLeast: scaled({ ci: 30_000, full: 1_000_000 }) });
  const rounds = scaled({ ci: 1, full: 5 });
  for (let round = 0; round < rounds; round += 1) {
    for (const { thread, death } of DEATHS) {
      const service = scene.start(env);
      await waitFor(
        'the service to store something',
        async () => (await service.metric('logs_processed_total')) > 0,
      );
      writeFileSync(`${order}.tmp`, `${thread} ${death}`);
      renameSync(`${order}.tmp`, order);
      await mustExit(service, `${death} of the ${thread} thread`);
      await scene.expelDeadMembers();
    }
  }
  scene.start();
  const produced = await traffic.finish();
  const found = await scene.finish(produced, 120_000);
  assert.ok(found.stored > 0);
  report(t, {
    row: 15,
    failure: 'a thread exits, throws or fills its heap',
    seed,
    figures: { deaths: DEATHS.length * rounds, records: traffic.total },
  });
});
