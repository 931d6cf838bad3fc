import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Committer, type OffsetCommit } from '../../src/consume/committer.ts';

interface Sent {
  readonly term: number;
  readonly commits: readonly OffsetCommit[];
  readonly answer: PromiseWithResolvers<void>;
}

function errorOf(type: string): Error {
  return Object.assign(new Error(type), { type });
}

/** A broker that answers when the test says so. */
class Broker {
  readonly sent: Sent[] = [];
  readonly told: string[] = [];
  readonly committer = new Committer({
    instance: 'i',
    directoryId: 'd',
    onCommitted: (sequence, partitions) => this.told.push(`committed ${sequence} of ${partitions}`),
    onFailed: (sequence, error) => this.told.push(`failed ${sequence}: ${(error as Error).message}`),
    onFenced: () => this.told.push('fenced'),
    pauses: { firstMs: 1, maxMs: 1 },
  });
  #term = 0;

  /** A new assignment of partitions whose tenures begin at the offsets. */
  begin(
    tenures: Readonly<Record<number, number>>,
    outstanding?: readonly [number, Record<number, number>],
  ): void {
    this.#term += 1;
    const term = this.#term;
    const send = (commits: readonly OffsetCommit[]): Promise<void> => {
      const answer = Promise.withResolvers<void>();
      this.sent.push({ term, commits, answer });
      return answer.promise;
    };
    const entries = Object.entries(tenures).map(
      ([partition, from]) => [`logs/${partition}`, { from, before: [] }] as const,
    );
    const request =
      outstanding === undefined
        ? undefined
        : { sequence: outstanding[0], positions: positionsOf(outstanding[1]) };
    this.committer.begin(send, new Map(entries), request);
  }

  commit(sequence: number, offsets: Readonly<Record<number, number>>): void {
    this.committer.commit(sequence, positionsOf(offsets));
  }

  async answer(index: number, error?: Error): Promise<void> {
    if (error === undefined) this.sent[index]?.answer.resolve();
    else this.sent[index]?.answer.reject(error);
    await sleep(5);
  }

  /** Waits for the `count`th request. */
  async asked(count: number): Promise<void> {
    while (this.sent.length < count) await sleep(1);
  }

  offsets(): string[] {
    return this.sent.map(
      ({ term, commits }) =>
        `${term}: ${commits.map(({ partition, offset }) => `${partition}@${offset}`).join(' ')}`,
    );
  }
}

function positionsOf(offsets: Readonly<Record<number, number>>) {
  return Object.entries(offsets).map(([partition, nextOffset]) => ({
    topic: 'logs',
    partition: Number(partition),
    nextOffset,
  }));
}

test('each commit says whose it is, of which checkpoint, and since when', () => {
  const broker = new Broker();
  broker.begin({ 0: 5 });
  broker.commit(3, { 0: 10 });
  assert.deepEqual(broker.sent[0]?.commits, [
    {
      topic: 'logs',
      partition: 0,
      offset: '10',
      metadata: '{"log_consumer":2,"instance":"i","directory":"d","sequence":3,"from":5,"before":[]}',
    },
  ]);
});

test('what was acknowledged is not sent again', async () => {
  const broker = new Broker();
  broker.begin({ 0: 5, 1: 7 });
  broker.commit(1, { 0: 10, 1: 7 });
  await broker.answer(0);
  broker.commit(2, { 0: 20, 1: 7 });
  await broker.answer(1);
  assert.deepEqual(broker.offsets(), ['1: 0@10 1@7', '1: 0@20']);
  assert.deepEqual(broker.told, ['committed 1 of 2', 'committed 2 of 1']);
});

test('a checkpoint that moved nothing of ours is taken at once', async () => {
  const broker = new Broker();
  broker.begin({ 0: 30 });
  broker.commit(1, { 0: 10, 1: 10 });
  await sleep(5);
  assert.deepEqual(
    [broker.sent.length, broker.told],
    [0, ['committed 1 of 0']],
    'others may have gone on meanwhile',
  );
});

test('nothing is committed before there is an assignment', async () => {
  const broker = new Broker();
  broker.commit(1, { 0: 10 });
  await sleep(5);
  assert.deepEqual([broker.committer.isValid, broker.sent.length, broker.told], [false, 0, []]);
});

test('a commit whose outcome is open is sent again until it is answered', async () => {
  const broker = new Broker();
  broker.begin({ 0: 0 });
  broker.commit(1, { 0: 10 });
  await broker.answer(0, new Error('the connection closed'));
  await broker.asked(2);
  await broker.answer(1, errorOf('COORDINATOR_LOAD_IN_PROGRESS'));
  await broker.asked(3);
  await broker.answer(2);
  assert.deepEqual(broker.offsets(), ['1: 0@10', '1: 0@10', '1: 0@10']);
  assert.deepEqual(broker.told, [
    'failed 1: the connection closed',
    'failed 1: COORDINATOR_LOAD_IN_PROGRESS',
    'committed 1 of 1',
  ]);
});

for (const type of [
  'ILLEGAL_GENERATION',
  'UNKNOWN_MEMBER_ID',
  'REBALANCE_IN_PROGRESS',
  'FENCED_INSTANCE_ID',
]) {
  test(`${type} is final for its assignment`, async () => {
    const broker = new Broker();
    broker.begin({ 0: 0 });
    broker.commit(1, { 0: 10 });
    await broker.answer(0, errorOf(type));
    assert.deepEqual(broker.told, [`failed 1: ${type}`, 'fenced']);
    assert.equal(broker.committer.isValid, false);
    broker.commit(2, { 0: 20 });
    await sleep(5);
    assert.equal(broker.sent.length, 1);
  });
}

test('an assignment sends what still waits, within its own generation', async () => {
  const broker = new Broker();
  broker.begin({ 0: 0 });
  broker.commit(1, { 0: 10 });
  await broker.answer(0, errorOf('ILLEGAL_GENERATION'));
  broker.begin({ 0: 0 }, [1, { 0: 10 }]);
  await broker.answer(1);
  assert.deepEqual(broker.offsets(), ['1: 0@10', '2: 0@10']);
  assert.equal(broker.told.at(-1), 'committed 1 of 1');
});

test('what an assignment does not take over is never sent again', async () => {
  const broker = new Broker();
  broker.begin({ 0: 0 });
  broker.commit(1, { 0: 10 });
  broker.begin({ 0: 10 });
  await broker.answer(0, new Error('the connection closed'));
  assert.deepEqual(broker.offsets(), ['1: 0@10']);
});

test('one request at a time, also over assignments', async () => {
  const broker = new Broker();
  broker.begin({ 0: 0 });
  broker.commit(1, { 0: 10 });
  broker.begin({ 0: 0 }, [1, { 0: 10 }]);
  await sleep(5);
  assert.equal(broker.sent.length, 1);
  await broker.answer(0, new Error('the connection closed'));
  await broker.asked(2);
  assert.deepEqual(broker.offsets(), ['1: 0@10', '2: 0@10']);
});

test('settled waits for what is in flight, until its deadline', async () => {
  const broker = new Broker();
  broker.begin({ 0: 0 });
  await broker.committer.settled(1000);
  broker.commit(1, { 0: 10 });
  const startedAt = performance.now();
  await broker.committer.settled(40);
  assert.ok(performance.now() - startedAt >= 35);
  const settled = broker.committer.settled(5000);
  await broker.answer(0);
  await settled;
});
