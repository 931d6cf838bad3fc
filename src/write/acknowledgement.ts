/**
 * Keeps at most one checkpoint ahead of what Kafka has taken.
 *
 * Invariant: while a checkpoint waits for its acknowledgement, no other is begun. So after any crash the
 * files are to be cut by at most one checkpoint, the one before, which is still there.
 */
import type { Checkpoint } from '../storage/checkpoint.ts';

/** Thrown into whoever waits when the files are to be rolled back: what it waits for will never come. */
export class RolledBack extends Error {}

export class Acknowledgement {
  #acknowledged: Checkpoint;
  #waiting: Checkpoint | undefined;
  #isAbandoned = false;
  readonly #waiters = new Set<PromiseWithResolvers<void>>();

  /** @param newest what lies on the disk, which may be ahead of `acknowledged` by one checkpoint */
  constructor(newest: Checkpoint, acknowledged: Checkpoint) {
    this.#acknowledged = acknowledged;
    this.#waiting = newest.sequence === acknowledged.sequence ? undefined : newest;
  }

  /** The newest checkpoint that Kafka is known to have taken. */
  get acknowledged(): Checkpoint {
    return this.#acknowledged;
  }

  /** Whether a checkpoint waits, so that the next one has to. */
  get isWaiting(): boolean {
    return this.#waiting !== undefined;
  }

  /** A checkpoint is on its way to the disk, and then to Kafka. */
  begin(checkpoint: Checkpoint): void {
    this.#waiting = checkpoint;
  }

  /** Kafka has taken the checkpoint with this sequence; answers to older ones say nothing new. */
  take(sequence: number): void {
    if (this.#waiting?.sequence !== sequence) return;
    this.#acknowledged = this.#waiting;
    this.#waiting = undefined;
    for (const waiter of this.#waiters) waiter.resolve();
    this.#waiters.clear();
  }

  /** Resolves when no checkpoint waits; rejects with RolledBack. */
  async settled(): Promise<void> {
    // Whoever comes to wait only now would wait for ever.
    if (this.#isAbandoned) throw new RolledBack();
    if (this.#waiting === undefined) return;
    const waiter = Promise.withResolvers<void>();
    this.#waiters.add(waiter);
    await waiter.promise;
  }

  /** Nobody needs to wait any longer: a roll-back follows, and with it another object. */
  abandon(): void {
    this.#isAbandoned = true;
    for (const waiter of this.#waiters) waiter.reject(new RolledBack());
    this.#waiters.clear();
  }
}
