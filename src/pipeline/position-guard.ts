/**
 * Compares what Kafka delivers with what is expected. The position of a partition moves only by what was
 * read, or by a jump that the configuration allows and that is recorded.
 */
import type { Ledger } from '../consume/ledger.ts';
import type { Delivery } from '../consume/source.ts';
import { checkAgainstLog, type JumpReason, type PositionPolicy } from '../consume/start-position.ts';
import { ServiceError } from '../core/errors.ts';
import { invariant } from '../core/invariant.ts';
import { partitionKey, type TopicPartition } from '../core/offsets.ts';
import type { EntryResult } from './task-queue.ts';

export type Verdict =
  | { readonly kind: 'use' }
  /** Use it after recording that everything before it is given up. */
  | { readonly kind: 'jump'; readonly reason: JumpReason }
  | { readonly kind: 'ignore' }
  | { readonly kind: 'ask_again'; readonly offset: number }
  | { readonly kind: 'refuse'; readonly error: ServiceError };

type Expected = Pick<Delivery, keyof TopicPartition | 'fetchedOffset' | 'highWatermark'>;

export class PositionGuard {
  readonly #ledger: Ledger<EntryResult>;
  readonly #policy: PositionPolicy;
  /** Offsets, by partition key, in whose place Kafka sent something else once. */
  readonly #doubted = new Map<string, number>();

  constructor(ledger: Ledger<EntryResult>, policy: PositionPolicy) {
    this.#ledger = ledger;
    this.#policy = policy;
  }

  /** A new assignment. */
  begin(): void {
    this.#doubted.clear();
  }

  /**
   * Says what to do with a delivery. A fetch that was under way during a rebalance or a seek can bring
   * anything, so a position counts as lost only when asking for it again leads elsewhere again.
   */
  check(delivery: Expected): Verdict {
    const { topic, partition, fetchedOffset, highWatermark } = delivery;
    const expected = this.#ledger.takenOffset(topic, partition);
    if (expected === undefined) return { kind: 'ignore' };
    if (fetchedOffset === expected) return { kind: 'use' };
    const key = partitionKey(topic, partition);
    const isInsideLog = fetchedOffset < expected && highWatermark >= expected;
    if (isInsideLog) return { kind: 'ask_again', offset: expected };
    if (this.#doubted.get(key) === expected) return this.#decideJump(delivery, expected);
    this.#doubted.set(key, expected);
    return { kind: 'ask_again', offset: expected };
  }

  /** Kafka sends us elsewhere, because our position is no longer in the log. */
  #decideJump({ topic, partition, fetchedOffset, highWatermark }: Expected, expected: number): Verdict {
    const decision = checkAgainstLog(expected, fetchedOffset, highWatermark, this.#policy);
    invariant(decision !== undefined, 'a jump leads out of what the log holds');
    if (decision.kind === 'refuse') return { kind: 'refuse', error: refusal(topic, partition, decision) };
    const [jump] = decision.jumps;
    invariant(jump !== undefined, 'a jump is decided as a jump or refused');
    return { kind: 'jump', reason: jump.reason };
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
