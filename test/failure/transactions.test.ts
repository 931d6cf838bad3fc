import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { uniqueMessage } from '../helpers/exactness.ts';
import { inTransaction, produce, waitForEnd } from '../helpers/kafka.ts';
import { waitFor } from '../helpers/service.ts';
import { filedOffsets } from './helpers/group-offsets.ts';
import { report } from './helpers/report.ts';
import { scaled } from './helpers/scale.ts';
import { Scene } from './helpers/scene.ts';
import { seeded } from './helpers/seed.ts';

/** Records that must never be stored are numbered from here, where the checker knows nothing. */
const NEVER = 1_000_000_000;
const RECORDS = 200;

type Decision = 'commit' | 'abort';

function messagesFrom(first: number) {
  return Array.from({ length: RECORDS }, (_, index) => uniqueMessage(0, first + index));
}

async function startScene(t: TestContext) {
  const { seed, random } = seeded(t);
  const scene = await Scene.set(t, { name: 'transactions', random, partitions: 1 });
  return { seed, random, scene, service: scene.start() };
}

/** Waits until the files hold everything below `offset`. */
function stored({ directory, topic }: Scene, offset: number): Promise<void> {
  return waitFor(
    `the files to reach offset ${offset}`,
    async () => filedOffsets(directory, topic).get(0) === offset,
  );
}

test('row 20: committed and aborted transactions, one after the other and at the same time', async (t) => {
  const { seed, random, scene, service } = await startScene(t);
  const { bootstrap, topic } = scene;
  const rounds = scaled({ ci: 12, full: 200 });
  let produced = 0;
  let aborted = 0;
  /** What a transaction will commit is numbered at once, since the log has it in this order. */
  const next = (decision: Decision) => {
    if (decision === 'abort') return messagesFrom(NEVER);
    produced += RECORDS;
    return messagesFrom(produced - RECORDS);
  };
  const decide = (): Decision => (random.below(2) === 0 ? 'commit' : 'abort');
  for (let round = 0; round < rounds; round += 1) {
    const [outer, inner] = [decide(), decide()];
    aborted += [outer, inner].filter((decision) => decision === 'abort').length;
    await inTransaction(bootstrap, async (transaction) => {
      await transaction.send({ topic, messages: next(outer) });
      await inTransaction(bootstrap, async (other) => {
        await other.send({ topic, messages: next(inner) });
        return inner;
      });
      await transaction.send({ topic, messages: next(outer) });
      return outer;
    });
  }
  const end = BigInt(rounds * (3 * RECORDS + 2));
  await waitForEnd(bootstrap, topic, end);
  await stored(scene, Number(end));
  await waitFor('no lag', async () => (await service.metric('kafka_consumer_lag')) === 0);
  const found = await scene.finish([produced]);
  report(t, {
    row: 20,
    failure: 'transactions, two at a time, at random committed or aborted',
    seed,
    figures: { transactions: 2 * rounds, aborted, records_stored: found.stored },
  });
});

for (const decision of ['commit', 'abort'] as const) {
  test(`row 20: a transaction that is open for long, and then ends by ${decision}`, async (t) => {
    const { seed, scene, service } = await startScene(t);
    const { bootstrap, topic, directory } = scene;
    const openMs = scaled({ ci: 5000, full: 50_000 });
    await produce(bootstrap, topic, messagesFrom(0));
    await stored(scene, RECORDS);
    let lagWhileOpen = 0;
    const afterwards = decision === 'commit' ? 2 * RECORDS : RECORDS;
    await inTransaction(bootstrap, async (transaction) => {
      const messages = messagesFrom(decision === 'commit' ? RECORDS : NEVER);
      await transaction.send({ topic, messages });
      await produce(bootstrap, topic, messagesFrom(afterwards));
      await sleep(openMs);
      assert.equal(filedOffsets(directory, topic).get(0), RECORDS, 'nothing beyond the open one');
      lagWhileOpen = await service.metric('kafka_consumer_lag');
      return decision;
    });
    const end = 3 * RECORDS + 1;
    await waitForEnd(bootstrap, topic, BigInt(end));
    await stored(scene, end);
    await waitFor('no lag', async () => (await service.metric('kafka_consumer_lag')) === 0);
    const found = await scene.finish([afterwards + RECORDS]);
    report(t, {
      row: 20,
      failure: `transaction open for long, then ${decision}`,
      seed,
      figures: { open_ms: openMs, lag_while_open: lagWhileOpen, records_stored: found.stored },
    });
  });
}
