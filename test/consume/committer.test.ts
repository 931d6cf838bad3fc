import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Committer, type OffsetCommit } from '../../src/consume/committer.ts';

interface Sent {
  readonly commits: readonly OffsetCommit[];
  readonly answer: PromiseWithResolvers<void>;
}

/** A broker that answers when the test says so. */
class Broker {
  readonly sent: Sent[] = [];
  readonly told: string[] = [];
  readonly committer = new Committer({
    instance: 'i',
    send: (commits) => {
      const answer = Promise.withResolvers<void>();
      this.sent.push({ commits, answer });
      return answer.promise;
    },
    onCommitted: (sequence, partitions) => this.told.push(`committed ${sequence} of ${partitions}`),
    onFailed: (sequence, error) => this.told.push(`failed ${sequence}: ${(error as Error).message}`),
  });

  begin(epoch: number, tenures: Readonly<Record<number, number | undefined>>): void {
    const entries = Object.entries(tenures).map(
      ([partition, offset]) => [`logs/${partition}`, offset] as const,
    );
    this.committer.beginEpoch(epoch, new Map(entries));
  }

  commit(sequence: number, offsets: Readonly<Record<number, number>>): void {
    const positions = Object.entries(offsets).map(([partition, nextOffset]) => ({
      topic: 'logs',
      partition: Number(partition),
      nextOffset,
    }));
    this.committer.commit(sequence, positions);
  }

  async answer(index: number, error?: Error): Promise<void> {
    if (error === undefined) this.sent[index]?.answer.resolve();
    else this.sent[index]?.answer.reject(error);
    await sleep(0);
  }

  offsets(): string[] {
    return this.sent.map(({ commits }) =>
      commits.map(({ partition, offset }) => `${partition}@${offset}`).join(' '),
    );
  }
}

test('one request at a time; the newest that waits wins', async () => {
  const broker = new Broker();
  broker.begin(1, { 0: 5, 1: 7 });
  for (let sequence = 1; sequence <= 5; sequence += 1) broker.commit(sequence, { 0: sequence * 10, 1: 7 });
  assert.deepEqual(broker.offsets(), ['0@10 1@7']);
  await broker.answer(0);
  assert.deepEqual(broker.offsets(), ['0@10 1@7', '0@50'], 'what was acknowledged is not sent again');
  await broker.answer(1);
  assert.deepEqual(broker.told, ['committed 1 of 2', 'committed 5 of 1']);
});

test('each commit says whose it is, of which checkpoint, and since when', () => {
  const broker = new Broker();
  broker.begin(1, { 0: 5 });
  broker.commit(3, { 0: 10 });
  assert.deepEqual(broker.sent[0]?.commits, [
    {
      topic: 'logs',
      partition: 0,
      offset: '10',
      metadata: '{"log_consumer":1,"instance":"i","sequence":3,"tenure":5}',
    },
  ]);
});

test('partitions that are not ours are left alone, and an empty request is not sent', async () => {
  const broker = new Broker();
  broker.begin(1, { 0: 0 });
  broker.commit(1, { 1: 10 });
  await broker.committer.settled(1000);
  broker.commit(2, { 0: 3, 1: 10 });
  assert.deepEqual(broker.offsets(), ['0@3']);
});

test('what a rebalance kept from being committed is sent in the next epoch', async () => {
  const broker = new Broker();
  broker.begin(1, { 0: 0 });
  broker.commit(1, { 0: 10 });
  broker.commit(2, { 0: 20 });
  broker.begin(2, { 0: 15 });
  await broker.answer(0);
  assert.deepEqual(broker.offsets(), ['0@10', '0@20']);
});

test('what lies before the tenure of a partition, or comes before it is known, is not committed', async () => {
  const broker = new Broker();
  broker.begin(1, { 0: 0 });
  broker.commit(1, { 0: 10 });
  await broker.answer(0);
  broker.begin(2, {});
  broker.begin(3, { 0: undefined });
  assert.deepEqual(broker.offsets(), ['0@10'], 'others may have gone on meanwhile');
  broker.committer.startTenure('logs', 0, 30);
  broker.commit(2, { 0: 10 });
  await sleep(0);
  assert.deepEqual(broker.offsets(), ['0@10']);
  broker.commit(3, { 0: 40 });
  await sleep(0);
  assert.deepEqual(broker.offsets(), ['0@10', '0@40']);
});

test('an answer that comes in the next epoch counts for nothing', async () => {
  const broker = new Broker();
  broker.begin(1, { 0: 0 });
  broker.commit(1, { 0: 10 });
  broker.begin(2, { 0: 10 });
  await broker.answer(0);
  assert.deepEqual(broker.told, []);
  assert.deepEqual(broker.offsets(), ['0@10', '0@10'], 'so it is sent again');
});

test('a failed commit is told, and its offsets go with the next', async () => {
  const broker = new Broker();
  broker.begin(1, { 0: 0, 1: 0 });
  broker.commit(1, { 0: 10, 1: 4 });
  await broker.answer(0, new Error('rebalance in progress'));
  assert.deepEqual(broker.told, ['failed 1: rebalance in progress']);
  broker.commit(2, { 0: 11, 1: 4 });
  assert.deepEqual(broker.offsets(), ['0@10 1@4', '0@11 1@4']);
});

test('a request that came while another failed is sent', async () => {
  const broker = new Broker();
  broker.begin(1, { 0: 0 });
  broker.commit(1, { 0: 10 });
  broker.commit(2, { 0: 20 });
  await broker.answer(0, new Error('no'));
  assert.deepEqual(broker.offsets(), ['0@10', '0@20']);
});

test('a request from within an answer is not forgotten', async () => {
  const sent: number[] = [];
  const committer: Committer = new Committer({
    instance: '',
    send: async (commits) => {
      sent.push(Number(commits[0]?.offset));
    },
    onCommitted: (sequence) => {
      if (sequence < 4)
        committer.commit(sequence + 1, [{ topic: 'logs', partition: 0, nextOffset: sequence + 1 }]);
    },
    onFailed: () => undefined,
  });
  committer.beginEpoch(1, new Map([['logs/0', 0]]));
  committer.commit(1, [{ topic: 'logs', partition: 0, nextOffset: 1 }]);
  await committer.settled(1000);
  assert.deepEqual(sent, [1, 2, 3, 4]);
});

test('settled waits for what is in flight and what waits behind it, until its deadline', async () => {
  const broker = new Broker();
  broker.begin(1, { 0: 0 });
  await broker.committer.settled(1000);
  broker.commit(1, { 0: 10 });
  broker.commit(2, { 0: 20 });
  let settled = false;
  const all = broker.committer.settled(5000).then(() => {
    settled = true;
  });
  await broker.answer(0);
  assert.equal(settled, false);
  await broker.answer(1);
  await all;
  broker.commit(3, { 0: 30 });
  const startedAt = performance.now();
  await broker.committer.settled(40);
  assert.ok(performance.now() - startedAt >= 35);
});
