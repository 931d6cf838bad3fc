import { invariant } from './invariant.ts';

/**
 * A first-in, first-out queue bounded by items and by bytes: a ring allocated once, nothing per item.
 *
 * Invariant: `size <= maxItems`, and `bytes <= maxBytes` unless the queue holds a single item. An item
 * larger than `maxBytes` enters an empty queue, because Kafka hands out a whole batch even above the
 * fetch limit, and refusing it for ever would stop its partition.
 *
 * `undefined` cannot be an item, because `shift` returns it for an empty queue.
 */
export class BoundedQueue<T extends NonNullable<unknown>> {
  readonly #maxItems: number;
  readonly #maxBytes: number;
  readonly #items: (T | undefined)[];
  readonly #itemBytes: Float64Array;
  #head = 0;
  #size = 0;
  #bytes = 0;

  constructor(maxItems: number, maxBytes: number) {
    invariant(Number.isInteger(maxItems) && maxItems > 0, 'a queue holds at least one item');
    invariant(maxBytes > 0, 'a queue holds at least one byte');
    this.#maxItems = maxItems;
    this.#maxBytes = maxBytes;
    this.#items = new Array<T | undefined>(maxItems).fill(undefined);
    this.#itemBytes = new Float64Array(maxItems);
  }

  /** Number of items waiting. */
  get size(): number {
    return this.#size;
  }

  /** Sum of the bytes of the waiting items. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether an item of `bytes` bytes fits now. */
  hasRoom(bytes: number): boolean {
    if (this.#size === this.#maxItems) return false;
    return this.#size === 0 || this.#bytes + bytes <= this.#maxBytes;
  }

  /** Adds an item of `bytes` bytes at the end; false, with nothing changed, when it does not fit now. */
  tryPush(item: T, bytes: number): boolean {
    invariant(bytes >= 0, 'an item has zero or more bytes');
    if (!this.hasRoom(bytes)) return false;
    const slot = (this.#head + this.#size) % this.#maxItems;
    this.#items[slot] = item;
    this.#itemBytes[slot] = bytes;
    this.#size += 1;
    this.#bytes += bytes;
    return true;
  }

  /** Takes the oldest item, or undefined when there is none. */
  shift(): T | undefined {
    if (this.#size === 0) return undefined;
    const slot = this.#head;
    const item = this.#items[slot];
    this.#items[slot] = undefined;
    this.#bytes -= this.#itemBytes[slot] ?? 0;
    this.#head = (slot + 1) % this.#maxItems;
    this.#size -= 1;
    return item;
  }
}
