/** What our patch of kafkajs adds to joining a group: two awaited hooks, and commits bound to a generation. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

const require = createRequire(import.meta.url);

interface Assignment {
  readonly memberAssignment: Readonly<Record<string, readonly number[]>>;
  commitOffsets(topics: readonly object[]): Promise<void>;
}

interface Group {
  joinAndSync(): Promise<void>;
  fetch(nodeId: number): Promise<unknown[]>;
  resetOffset(position: object): void;
  offsetManager: {
    setDefaultOffset(position: object): Promise<void>;
    nextOffset(topic: string, partition: number): object;
  };
}

const ConsumerGroup: new (
  options: Record<string, unknown>,
) => Group = require('kafkajs/src/consumer/consumerGroup.js');
const { MemberAssignment }: { MemberAssignment: { encode(value: object): Buffer } } =
  require('kafkajs/src/consumer/assignerProtocol.js');

const logger = { debug() {}, warn() {}, info() {}, error() {}, namespace: () => logger };

/** A member of a group whose coordinator the test plays; every join begins a generation. */
function member(hooks: {
  beforeJoin?: () => Promise<void>;
  afterJoin?: (assignment: Assignment) => Promise<void>;
}) {
  const calls: string[] = [];
  const failures: Error[] = [];
  let generation = 0;
  const coordinator = {
    isConnected: () => true,
    joinGroup: async () => {
      calls.push('join');
      const failure = failures.shift();
      if (failure !== undefined) throw failure;
      generation += 1;
      return { generationId: generation, leaderId: 'other', memberId: 'me', members: [], groupProtocol: 'p' };
    },
    syncGroup: async () => ({
      memberAssignment: MemberAssignment.encode({
        version: 0,
        assignment: { logs: [0] },
        userData: Buffer.alloc(0),
      }),
    }),
    offsetCommit: async ({ groupGenerationId }: { groupGenerationId: number }) => {
      calls.push(`commit in generation ${groupGenerationId}`);
    },
  };
  const committed = { logs: { 0: '7' } };
  const cluster = {
    findGroupCoordinator: async () => coordinator,
    findTopicPartitionMetadata: () => [{ partitionId: 0, leader: 1 }],
    committedOffsets: () => committed,
    fetchTopicsOffset: async () => [{ topic: 'logs', partitions: [{ partition: 0, offset: '40' }] }],
    defaultOffset: () => '-2',
    refreshMetadataIfNecessary: async () => undefined,
  };
  const group = new ConsumerGroup({
    retry: { initialRetryTime: 1, retries: 3 },
    cluster,
    groupId: 'g',
    topics: ['logs'],
    topicConfigurations: { logs: { fromBeginning: true } },
    logger,
    instrumentationEmitter: { emit: () => undefined },
    assigners: [],
    autoCommit: false,
    ...hooks,
  });
  return { group, calls, failures };
}

test('the group is joined only after the hook before it, and what follows waits for the one after it', async () => {
  const order: string[] = [];
  const { group, calls } = member({
    beforeJoin: async () => {
      await sleep(5);
      order.push(`before, with ${calls.length} joins`);
    },
    afterJoin: async ({ memberAssignment }) => {
      await sleep(5);
      order.push(`after ${JSON.stringify(memberAssignment)}`);
    },
  });
  await group.joinAndSync();
  assert.deepEqual(order, ['before, with 0 joins', 'after {"logs":[0]}']);
});

test('a commit goes out with the generation of its assignment, also after the next one', async () => {
  const assignments: Assignment[] = [];
  const { group, calls } = member({
    afterJoin: async (assignment) => {
      assignments.push(assignment);
    },
  });
  await group.joinAndSync();
  await group.joinAndSync();
  const topics = [{ topic: 'logs', partitions: [{ partition: 0, offset: '9' }] }];
  await assignments[0]?.commitOffsets(topics);
  await assignments[1]?.commitOffsets(topics);
  assert.deepEqual(calls.slice(2), ['commit in generation 1', 'commit in generation 2']);
});

test('an assignment that cannot be taken up is asked for again', async () => {
  let attempts = 0;
  const { group, calls } = member({
    afterJoin: async () => {
      attempts += 1;
      if (attempts < 3) throw new Error('the broker did not say where the group stands');
    },
  });
  await group.joinAndSync();
  assert.deepEqual([attempts, calls], [3, ['join', 'join', 'join']]);
});

test('after a join that failed nothing is fetched, but the group joined again', async () => {
  const { group, failures } = member({});
  await group.joinAndSync();
  failures.push(new Error('the connection closed'));
  await assert.rejects(group.joinAndSync());
  await assert.rejects(group.fetch(1), { type: 'REBALANCE_IN_PROGRESS' });
});

test('a position that is not in the log any more does not overwrite what the group has committed', async () => {
  const { group, calls } = member({});
  await group.joinAndSync();
  await group.offsetManager.setDefaultOffset({ topic: 'logs', partition: 0 });
  assert.equal(String(group.offsetManager.nextOffset('logs', 0)), '40');
  assert.deepEqual(calls, ['join']);
});
