/**
 * The life of a member of the consumer group, from one assignment to the next.
 *
 *   revoked:  stop taking, make durable what was taken, commit it within the old generation
 *   assigned: ask what the group has, decide what of the files is ours, cut what is not, read on
 *
 * Invariants
 * - The two never overlap: each waits for the one before.
 * - Nothing is read or committed before it is decided what of the files is ours.
 */
import type { Committer } from '../consume/committer.ts';
import type { Assignment } from '../consume/source.ts';
import type { PositionPolicy } from '../consume/start-position.ts';
import type { PartitionState } from '../consume/topic-state.ts';
import { ServiceError } from '../core/errors.ts';
import { unreachable } from '../core/invariant.ts';
import { REVOKE_DEADLINE_MS } from '../core/limits.ts';
import type { WriterEvent } from '../core/messages.ts';
import { type PartitionRange, partitionKey, type TopicPartition } from '../core/offsets.ts';
import type { WriterClient } from '../write/writer-client.ts';
import type { Acknowledgements } from './acknowledgements.ts';
import { decideHandOver } from './hand-over.ts';
import type { Ingest } from './ingest.ts';
import type { IngestObserver } from './observer.ts';
import { decideStarts, type PartitionStart, statesOf } from './start-positions.ts';

type Event<K extends WriterEvent['kind']> = Extract<WriterEvent, { kind: K }>;

export interface MembershipParts {
  readonly topic: string;
  readonly directoryId: string;
  readonly policy: PositionPolicy;
  readonly writer: WriterClient;
  readonly committer: Committer;
  readonly ingest: Ingest;
  readonly acknowledgements: Acknowledgements;
  readonly observer: IngestObserver;
  /** Asks the broker for all partitions of the topic. */
  readonly readGroup: () => Promise<readonly PartitionState[]>;
  /** Called once, when Kafka has taken all that the files held at the start: closed ones stay closed. */
  readonly onSettled: () => void;
  /** Called once, for a failure that the member cannot go on from. */
  readonly onFailure: (error: unknown) => void;
}

export class Membership {
  readonly #parts: MembershipParts;
  #turn: Promise<unknown> = Promise.resolve();
  #hasAssignment = false;
  #isSettled = false;
  #rolledBack: PromiseWithResolvers<void> | undefined;
  /** Closed segments whose checkpoint Kafka has not taken yet: a roll-back would make them active again. */
  #closedSegments: string[] = [];

  constructor(parts: MembershipParts) {
    this.#parts = parts;
  }

  /** The group forms anew; resolves when the member may join it. */
  revoked(): Promise<void> {
    return this.#inTurn(() => this.#revoke());
  }

  /** Resolves with where to read from. Rejects when the group has to be joined again. */
  assigned(assignment: Assignment): Promise<ReadonlyMap<TopicPartition, number>> {
    return this.#inTurn(() => this.#takeUp(assignment));
  }

  /** Kafka has taken a checkpoint. */
  committed(sequence: number, uncertain: readonly PartitionRange[] = []): void {
    const { acknowledgements, writer, observer } = this.#parts;
    // The next checkpoint begins only after this, so what was closed until now was closed by this one.
    if (!acknowledgements.acknowledged(sequence)) return;
    writer.acknowledge(sequence, uncertain);
    for (const path of this.#closedSegments.splice(0)) observer.sealable(path);
    this.#tellWhenSettled();
  }

  /** Kafka refused a commit: waiting for it is pointless. */
  fenced(): void {
    this.#parts.acknowledgements.wake();
  }

  /** What the writer says of buffers, checkpoints and segments. */
  onWriterEvent(event: Event<'released' | 'checkpointed' | 'rotated' | 'rolled_back'>): void {
    // What was under way when the files are to be cut is cut with them.
    const isPointless = this.#rolledBack !== undefined;
    switch (event.kind) {
      case 'released':
        this.#parts.ingest.onWriterEvent(event);
        return;
      case 'checkpointed':
        if (!isPointless) this.#parts.ingest.onWriterEvent(event);
        return;
      case 'rotated':
        if (!isPointless) this.#onRotated(event);
        return;
      case 'rolled_back':
        this.#onRolledBack(event);
        return;
      default:
        unreachable(event, 'writer event');
    }
  }

  #onRotated({ file, path, bytes, records }: Event<'rotated'>): void {
    this.#parts.observer.rotated(file, path, bytes, records);
    this.#closedSegments.push(path);
  }

  #onRolledBack({ checkpoint, recovery }: Event<'rolled_back'>): void {
    const { acknowledgements, ingest, observer } = this.#parts;
    acknowledgements.rolledBack(checkpoint);
    ingest.rolledBack();
    observer.rolledBack(checkpoint.sequence);
    for (const action of recovery) observer.recovered(action);
    this.#rolledBack?.resolve();
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#turn;
    const mine = before.then(work, work);
    this.#turn = mine;
    return mine;
  }

  async #revoke(): Promise<void> {
    const { committer, observer, ingest, writer, acknowledgements } = this.#parts;
    ingest.suspend();
    if (this.#hasAssignment) observer.rebalancing();
    this.#hasAssignment = false;
    if (!committer.isValid) return;
    writer.checkpoint();
    await acknowledgements.whenSettled(REVOKE_DEADLINE_MS);
  }

  async #takeUp({ partitions, commit }: Assignment): Promise<ReadonlyMap<TopicPartition, number>> {
    const { committer, ingest, observer } = this.#parts;
    const states = await this.#askGroup();
    const found = statesOf(partitions, states);
    if (!Array.isArray(found)) throw notKnownYet(found.unknown);
    await this.#settle(partitions, states);
    const starts = this.#starts(found);
    // The service ends; nothing that is fetched until then is taken.
    if (starts === undefined) return new Map();
    for (const { topic, partition, offset, rereadsUpTo } of starts) {
      if (rereadsUpTo !== undefined) observer.rereading(topic, partition, offset, rereadsUpTo);
    }
    ingest.resume(starts);
    const tenures = starts.map(
      ({ topic, partition, tenure }) => [partitionKey(topic, partition), tenure] as const,
    );
    committer.begin(commit, new Map(tenures), this.#parts.acknowledgements.outstanding);
    this.#hasAssignment = true;
    this.#tellWhenSettled();
    return new Map(starts.map(({ topic, partition, offset }) => [{ topic, partition }, offset]));
  }

  /** What asking again cannot mend ends the service; a missing topic may be about to be created again. */
  async #askGroup(): Promise<readonly PartitionState[]> {
    try {
      return await this.#parts.readGroup();
    } catch (error) {
      const isFinal = error instanceof ServiceError && !error.retryable && error.code !== 'TOPIC_MISSING';
      if (isFinal) this.#parts.onFailure(error);
      throw error;
    }
  }

  /** Brings the files to what the group counts as ours. */
  async #settle(partitions: readonly TopicPartition[], states: readonly PartitionState[]): Promise<void> {
    const { acknowledgements, directoryId, observer, topic } = this.#parts;
    const { outstanding } = acknowledgements;
    const handOver = decideHandOver({
      directoryId,
      outstanding: outstanding?.sequence,
      outstandingRanges: acknowledgements.outstandingRanges(),
      unacknowledgedRanges: acknowledgements.unacknowledgedRanges(),
      assigned: new Set(partitions.map(({ partition }) => partitionKey(topic, partition))),
      group: new Map(states.map((state) => [partitionKey(topic, state.partition), state])),
    });
    for (const range of handOver.uncertain) observer.ownershipUncertain(range);
    if (handOver.outstanding === 'taken' && outstanding !== undefined) {
      this.committed(outstanding.sequence, handOver.uncertain);
    }
    if (handOver.cut) await this.#rollBack();
  }

  #tellWhenSettled(): void {
    if (this.#isSettled || this.#parts.acknowledgements.outstanding !== undefined) return;
    this.#isSettled = true;
    this.#parts.onSettled();
  }

  async #rollBack(): Promise<void> {
    this.#closedSegments = [];
    this.#rolledBack = Promise.withResolvers();
    this.#parts.writer.rollBack();
    await this.#rolledBack.promise;
    this.#rolledBack = undefined;
  }

  /** Undefined when a position is impossible. */
  #starts(states: readonly PartitionState[]): PartitionStart[] | undefined {
    const { topic, directoryId, policy, acknowledgements, onFailure } = this.#parts;
    try {
      return decideStarts(topic, states, {
        directoryId,
        policy,
        filed: (name, partition) => acknowledgements.filed(name, partition),
        counted: (name, partition) => acknowledgements.counted(name, partition),
      });
    } catch (error) {
      // Only a member that has finished joining can leave, and one that does not leave keeps its
      // partitions until its session ends.
      setImmediate(onFailure, error);
      return undefined;
    }
  }
}

/** A partition that was just added can be unknown to the broker that was asked. */
function notKnownYet(key: string): ServiceError {
  return new ServiceError('KAFKA_FAILED', `The broker does not know the offsets of ${key} yet.`, { key });
}
