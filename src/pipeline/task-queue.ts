/** Record batches waiting for the pool: bounded by items and bytes, each entered in the ledger. */
import type { LedgerEntry } from '../consume/ledger.ts';
import type { JumpReason } from '../consume/start-position.ts';
import { BoundedQueue } from '../core/bounded-queue.ts';
import type { TransformResult } from '../core/messages.ts';

/** How a ledger entry ended: with lines, with nothing in it, or given up. */
export type EntryResult =
  | { readonly kind: 'transformed'; readonly result: TransformResult }
  | { readonly kind: 'empty' }
  | { readonly kind: 'jump'; readonly reason: JumpReason };

export interface QueuedTask {
  readonly entry: LedgerEntry<EntryResult>;
  readonly input: ArrayBuffer;
  readonly inputBytes: number;
}

export class TaskQueue {
  readonly #queue: BoundedQueue<QueuedTask>;
  readonly #lowWaterBytes: number;
  readonly #wakers = new Set<() => void>();

  constructor(maxItems: number, maxBytes: number) {
    this.#queue = new BoundedQueue(maxItems, maxBytes);
    this.#lowWaterBytes = maxBytes / 2;
  }

  get size(): number {
    return this.#queue.size;
  }

  get bytes(): number {
    return this.#queue.bytes;
  }

  hasRoom(bytes: number): boolean {
    return this.#queue.hasRoom(bytes);
  }

  /** @param bytes memory that the task occupies */
  push(task: QueuedTask, bytes: number): boolean {
    return this.#queue.tryPush(task, bytes);
  }

  shift(): QueuedTask | undefined {
    const task = this.#queue.shift();
    // Waiting handlers are woken for a lot of room at once, not for every task.
    if (this.#queue.bytes <= this.#lowWaterBytes) this.wake();
    return task;
  }

  /** Resolves when room was made or everybody was woken, at the latest after `sliceMs`. */
  waitForRoom(sliceMs: number): Promise<void> {
    return new Promise((resolve) => {
      const waker = (): void => {
        clearTimeout(timer);
        this.#wakers.delete(waker);
        resolve();
      };
      const timer = setTimeout(waker, sliceMs);
      this.#wakers.add(waker);
    });
  }

  /** Lets every waiting handler look again. */
  wake(): void {
    for (const waker of [...this.#wakers]) waker();
  }
}
