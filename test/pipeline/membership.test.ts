import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Committer } from '../../src/consume/committer.ts';
import type { PartitionState } from '../../src/consume/topic-state.ts';
import type { WriterEvent } from '../../src/core/messages.ts';
import { Acknowledgements } from '../../src/pipeline/acknowledgements.ts';
import type { Ingest } from '../../src/pipeline/ingest.ts';
import { Membership } from '../../src/pipeline/membership.ts';
import type { IngestObserver } from '../../src/pipeline/observer.ts';
import type { WriterClient } from '../../src/write/writer-client.ts';

const at = (nextOffset: number) => ({ topic: 't', partition: 0, nextOffset });
const P0 = { topic: 't', partition: 0 };
const CHECKPOINTED = { kind: 'checkpointed', durationMs: 1, fileBytes: {}, durableUnits: 1 } as const;

/**
 * A member whose files hold checkpoint 5 up to offset 20, of which Kafka is known to have taken number 4, up
 * to offset 10.
 */
function member(state: Partial<PartitionState>) {
  const told: string[] = [];
  const tell = (what: string) => () => void told.push(what);
  const acknowledgements = new Acknowledgements(
    { sequence: 5, positions: [at(20)] },
    { sequence: 4, positions: [at(10)] },
  );
  const observer = {
    rebalancing: tell('rebalancing'),
    rolledBack: tell('rolled back'),
    rotated: tell('rotated'),
    sealable: (path: string) => told.push(`sealable ${path}`),
    rereading: tell('rereading'),
    ownershipUncertain: tell('uncertain'),
  };
  const writer: Pick<WriterClient, 'checkpoint' | 'acknowledge' | 'rollBack'> = {
    checkpoint: tell('checkpoint'),
    acknowledge: (sequence) => told.push(`acknowledge ${sequence}`),
    rollBack: () => {
      told.push('roll back');
      setImmediate(() =>
        event({ kind: 'rolled_back', checkpoint: { sequence: 6, positions: [at(10)] }, recovery: [] }),
      );
    },
  };
  const ingest: Pick<Ingest, 'suspend' | 'resume' | 'rolledBack' | 'onWriterEvent'> = {
    suspend: tell('suspend'),
    resume: (starts) => told.push(`resume at ${starts.map(({ offset }) => offset).join()}`),
    rolledBack: () => undefined,
    onWriterEvent: (written) => {
      if (written.kind === 'checkpointed') acknowledgements.checkpointed(written, written.durableUnits);
    },
  };
  const committer: Pick<Committer, 'isValid' | 'begin'> = {
    isValid: true,
    begin: (_send, _tenures, outstanding) => told.push(`commit ${outstanding?.sequence}`),
  };
  const membership = new Membership({
    topic: 't',
    directoryId: 'ours',
    policy: { onLostRecords: 'earliest', onPositionConflict: 'stop', onTopicRecreated: 'stop' },
    writer: writer as WriterClient,
    committer: committer as Committer,
    ingest: ingest as Ingest,
    acknowledgements,
    observer: observer as unknown as IngestObserver,
    readGroup: async () => [
      { partition: 0, earliest: 0, latest: 100, committed: 10, metadata: undefined, ...state },
    ],
    onSettled: tell('settled'),
    onFailure: (error) => told.push(String(error)),
  });
  const event = (written: Extract<WriterEvent, { kind: 'checkpointed' | 'rotated' | 'rolled_back' }>): void =>
    membership.onWriterEvent(written);
  const assign = (...partitions: (typeof P0)[]) =>
    membership.assigned({ partitions, commit: async () => undefined });
  return { told, membership, event, assign };
}

const byUs = (sequence: number) => ({ instance: '', directoryId: 'ours', sequence, from: 0, before: [] });

test('what nobody else can have read stays, and is committed now', async () => {
  const { told, assign, membership } = member({ committed: 10, metadata: byUs(4) });
  const positions = await assign(P0);
  assert.deepEqual([...positions], [[P0, 20]]);
  assert.deepEqual(told, ['resume at 20', 'commit 5']);
  membership.committed(5);
  assert.deepEqual(told.slice(2), ['acknowledge 5', 'settled'], 'only now what was closed stays closed');
});

test('what Kafka had taken is acknowledged without asking again', async () => {
  const { told, assign } = member({ committed: 20, metadata: byUs(5) });
  await assign();
  assert.deepEqual(told, ['acknowledge 5', 'settled', 'resume at ', 'commit undefined']);
});

test('what belongs to somebody else is cut before anything is read', async () => {
  const { told, assign } = member({ committed: 10, metadata: byUs(4) });
  await assign();
  assert.deepEqual(told, ['roll back', 'rolled back', 'resume at ', 'commit undefined', 'settled']);
});

test('a closed segment may be compressed once Kafka has taken its checkpoint, and not for an old answer', async () => {
  const { told, assign, membership, event } = member({ committed: 20, metadata: byUs(5) });
  await assign(P0);
  told.length = 0;
  event({ ...CHECKPOINTED, sequence: 6, positions: [at(30)] });
  event({ kind: 'rotated', file: 'service_logs', path: '/s', bytes: 1, records: 1 });
  membership.committed(5);
  assert.deepEqual(told, ['rotated']);
  membership.committed(6);
  assert.deepEqual(told, ['rotated', 'acknowledge 6', 'sealable /s']);
});

test('a rebalance is told once for each assignment that it ends, and waits for the last commit', async () => {
  const { told, assign, membership, event } = member({ committed: 20, metadata: byUs(5) });
  await assign(P0);
  told.length = 0;
  event({ ...CHECKPOINTED, durableUnits: 0, sequence: 6, positions: [at(30)] });
  const revoked = membership.revoked();
  await Promise.resolve();
  assert.deepEqual(told, ['suspend', 'rebalancing', 'checkpoint']);
  membership.committed(6);
  await revoked;
  await membership.revoked();
  assert.equal(told.filter((what) => what === 'rebalancing').length, 1);
});

test('a broker that does not answer makes the group be joined again', async () => {
  const { membership } = member({});
  const unknown = { topic: 't', partition: 7 };
  const assigned = membership.assigned({ partitions: [unknown], commit: async () => undefined });
  await assert.rejects(assigned, /does not know the offsets of t\/7 yet/);
});
