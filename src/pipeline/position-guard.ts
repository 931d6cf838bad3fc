/**
 * Compares what Kafka delivers with what is expected. The position of a partition moves only by what was
 * read, or by a jump that the configuration allows and that is recorded.
 */
import type { Ledger } from '../consume/ledger.ts';
import type { Delivery } from '../consume/source.ts';
import { checkAgainstLog, type PositionPolicy } from '../consume/start-position.ts';
import { ServiceError } from '../core/errors.ts';
import { invariant } from '../core/invariant.ts';
import { partitionKey, type TopicPartition } from '../core/offsets.ts';
import type { EntryResult } from './task-queue.ts';

export type Verdict =
  | { readonly kind: 'use' }
  /** Use it after recording that everything before it is given up. */
  | { readonly kind: 'jump'; readonly reason: string }
  | { readonly kind: 'ignore' }
  | { readonly kind: 'ask_again'; readonly offset: number }
  | { readonly kind: 'refuse'; readonly error: ServiceError };

type Expected = Pick<Delivery, keyof TopicPartition | 'fetchedOffset' | 'highWatermark'>;

export class PositionGuard {
  readonly #ledger: Ledger<EntryResult>;
  readonly #policy: PositionPolicy;
  /** How far our files go, by partition key, also for partitions that are somebody else's now. */
  readonly #filed: Map<string, number>;
  /** Offsets, by partition key, in whose place Kafka sent something else once. */
  readonly #doubted = new Map<string, number>();

  constructor(ledger: Ledger<EntryResult>, policy: PositionPolicy, filed: ReadonlyMap<string, number>) {
    this.#ledger = ledger;
    this.#policy = policy;
    this.#filed = new Map(filed);
  }

  /** A new assignment. */
  begin(): void {
    this.#doubted.clear();
  }

  /** Everything up to `nextOffset` is on its way to the files. */
  handed(topic: string, partition: number, nextOffset: number): void {
    this.#filed.set(partitionKey(topic, partition), nextOffset);
  }

  /**
   * Says what to do with a delivery. A fetch that was under way during a rebalance or a seek can bring
   * anything, so a position counts as lost only when asking for it again leads elsewhere again.
   */
  check(delivery: Expected): Verdict {
    const { topic, partition, fetchedOffset, highWatermark } = delivery;
    if (!this.#ledger.holds(topic, partition)) return { kind: 'ignore' };
    const expected = this.#ledger.takenOffset(topic, partition);
    if (expected === undefined) return this.#takeUp(delivery);
    if (fetchedOffset === expected) return { kind: 'use' };
    const key = partitionKey(topic, partition);
    const isInsideLog = fetchedOffset < expected && highWatermark >= expected;
    if (isInsideLog) return { kind: 'ask_again', offset: expected };
    if (this.#doubted.get(key) === expected) return this.#decideJump(delivery, expected);
    this.#doubted.set(key, expected);
    return { kind: 'ask_again', offset: expected };
  }

  /**
   * A partition that comes from another member begins at the group's offset, where the delivery stands.
   * What lies between our own files and there is in the files of whoever committed it.
   */
  #takeUp({ topic, partition, fetchedOffset }: Expected): Verdict {
    const own = this.#filed.get(partitionKey(topic, partition)) ?? fetchedOffset;
    this.#ledger.start(topic, partition, own);
    if (own === fetchedOffset) return { kind: 'use' };
    return own > fetchedOffset
      ? { kind: 'ask_again', offset: own }
      : { kind: 'jump', reason: 'taken_from_group' };
  }

  /** Kafka sends us elsewhere, because our position is no longer in the log. */
  #decideJump({ topic, partition, fetchedOffset, highWatermark }: Expected, expected: number): Verdict {
    const decision = checkAgainstLog(expected, fetchedOffset, highWatermark, this.#policy);
    invariant(decision !== undefined && decision.kind !== 'start', 'a jump is decided as a jump or refused');
    return decision.kind === 'refuse'
      ? { kind: 'refuse', error: refusal(topic, partition, decision) }
      : { kind: 'jump', reason: decision.reason };
  }
}

/** The sentence for a position that the configuration does not allow to jump from. */
export function refusal(
  topic: string,
  partition: number,
  decision: { readonly problem: string; readonly setting: string },
): ServiceError {
  return new ServiceError(
    'POSITION_IMPOSSIBLE',
    `Cannot continue ${topic}/${partition}: ${decision.problem}; decide with ${decision.setting}.`,
    { topic, partition },
  );
}
