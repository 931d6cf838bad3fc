/**
 * What of the files is durable, and what of that Kafka has taken: the main thread's side of the rule that
 * at most one checkpoint is ahead of the group (write/acknowledgement.ts).
 *
 * `filed` positions are those of units on their way to the files, `acknowledged` ones those that the group
 * has. What lies between is ours only as long as nobody else reads it.
 */
import type { CheckpointPositions } from '../core/messages.ts';
import { type PartitionRange, type Position, parsePartitionKey, partitionKey } from '../core/offsets.ts';

type Positions = ReadonlyMap<string, number>;

interface Outstanding {
  readonly checkpoint: CheckpointPositions;
  readonly units: number;
}

export class Acknowledgements {
  #filed: Map<string, number>;
  #acknowledged: Map<string, number>;
  #outstanding: Outstanding | undefined;
  #handedUnits = 0;
  #acknowledgedUnits = 0;
  readonly #waiters = new Set<() => void>();

  /** @param newest what lies on the disk, at most one checkpoint ahead of `acknowledged` */
  constructor(newest: CheckpointPositions, acknowledged: CheckpointPositions) {
    this.#filed = byKey(newest.positions);
    this.#acknowledged = byKey(acknowledged.positions);
    if (newest.sequence !== acknowledged.sequence) {
      this.#outstanding = { checkpoint: newest, units: 0 };
    }
  }

  /** Where the files end, with all that is on its way to them; undefined for a partition they do not know. */
  filed(topic: string, partition: number): number | undefined {
    return this.#filed.get(partitionKey(topic, partition));
  }

  /** Where that begins which the files hold beyond what the group has; where they end when they do not. */
  counted(topic: string, partition: number): number | undefined {
    return this.#acknowledged.get(partitionKey(topic, partition));
  }

  /** The checkpoint that waits for Kafka. */
  get outstanding(): CheckpointPositions | undefined {
    return this.#outstanding?.checkpoint;
  }

  /** Whether everything handed to the writer is durable and taken by Kafka. */
  get isSettled(): boolean {
    return this.#outstanding === undefined && this.#acknowledgedUnits === this.#handedUnits;
  }

  /** What lies before is not ours: a partition is new to us, or others stored what is passed over. */
  begin({ topic, partition, nextOffset }: Position): void {
    this.#acknowledged.set(partitionKey(topic, partition), nextOffset);
  }

  /** A unit or a skip was handed to the writer. */
  handed({ topic, partition, nextOffset }: Position): void {
    this.#filed.set(partitionKey(topic, partition), nextOffset);
    this.#handedUnits += 1;
  }

  /** A checkpoint is durable. @param units units and skips that it covers, since the start or the last roll-back */
  checkpointed(checkpoint: CheckpointPositions, units: number): void {
    this.#outstanding = { checkpoint, units };
  }

  /** Kafka has taken a checkpoint. @returns false for one that is not outstanding, which says nothing new */
  acknowledged(sequence: number): boolean {
    if (this.#outstanding?.checkpoint.sequence !== sequence) return false;
    // Partitions that began since then are not in it.
    this.#acknowledged = new Map([...this.#acknowledged, ...byKey(this.#outstanding.checkpoint.positions)]);
    this.#acknowledgedUnits = this.#outstanding.units;
    this.#outstanding = undefined;
    if (this.isSettled) this.wake();
    return true;
  }

  /** The files were cut back. */
  rolledBack({ positions }: CheckpointPositions): void {
    this.#filed = byKey(positions);
    this.#acknowledged = byKey(positions);
    this.#outstanding = undefined;
    this.#handedUnits = 0;
    this.#acknowledgedUnits = 0;
    this.wake();
  }

  /** What the outstanding checkpoint would add to what the group has. */
  outstandingRanges(): PartitionRange[] {
    return this.#rangesUpTo(byKey(this.#outstanding?.checkpoint.positions ?? []));
  }

  /** What the files hold, or will, beyond what the group has. */
  unacknowledgedRanges(): PartitionRange[] {
    return this.#rangesUpTo(this.#filed);
  }

  /** Resolves when everything is settled, when somebody is sure that it will not be, or after `deadlineMs`. */
  whenSettled(deadlineMs: number): Promise<void> {
    if (this.isSettled) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#waiters.delete(done);
        resolve();
      };
      const timer = setTimeout(done, deadlineMs);
      this.#waiters.add(done);
    });
  }

  /** Nobody needs to wait any longer. */
  wake(): void {
    for (const waiter of [...this.#waiters]) waiter();
  }

  #rangesUpTo(ends: Positions): PartitionRange[] {
    return [...ends].flatMap(([key, to]) => {
      const from = this.#acknowledged.get(key) ?? 0;
      return to === from ? [] : [{ ...parsePartitionKey(key), from, to }];
    });
  }
}

function byKey(positions: readonly Position[]): Map<string, number> {
  return new Map(
    positions.map(({ topic, partition, nextOffset }) => [partitionKey(topic, partition), nextOffset]),
  );
}
