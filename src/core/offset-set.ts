/**
 * A set of Kafka offsets as ascending ranges, for what is sparse or dense and mostly comes in order.
 *
 * Text form: a flat list of numbers, for each range how far it lies behind the one before and how long it
 * is, which is a few characters per range.
 */
import { invariant } from './invariant.ts';

export class OffsetSet {
  /** Range i is [starts[i], ends[i]); ranges neither overlap nor touch. */
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  #size = 0;

  /** Inverse of `encode`. */
  static decode(flat: readonly number[]): OffsetSet {
    const set = new OffsetSet();
    let at = 0;
    for (let index = 0; index + 1 < flat.length; index += 2) {
      const from = at + (flat[index] as number);
      at = from + (flat[index + 1] as number);
      set.add(from, at);
    }
    return set;
  }

  encode(): number[] {
    const flat: number[] = [];
    let at = 0;
    for (const { from, to } of this.ranges()) {
      flat.push(from - at, to - from);
      at = to;
    }
    return flat;
  }

  /** Number of offsets. */
  get size(): number {
    return this.#size;
  }

  has(offset: number): boolean {
    return offset < (this.#ends[this.#upTo(offset)] ?? Number.NEGATIVE_INFINITY);
  }

  /** Adds [from, to), parts of which may be there already. */
  add(from: number, to: number = from + 1): void {
    invariant(from < to, `[${from}, ${to}) holds no offset`);
    // The ranges from `first` up to `last` touch the new one and become one with it.
    let first = this.#upTo(from);
    if (first < 0 || (this.#ends[first] as number) < from) first += 1;
    const last = this.#upTo(to);
    const start = first <= last ? Math.min(from, this.#starts[first] as number) : from;
    const end = first <= last ? Math.max(to, this.#ends[last] as number) : to;
    for (let index = first; index <= last; index += 1) {
      this.#size -= (this.#ends[index] as number) - (this.#starts[index] as number);
    }
    this.#size += end - start;
    this.#starts.splice(first, last - first + 1, start);
    this.#ends.splice(first, last - first + 1, end);
  }

  addAll(other: OffsetSet): void {
    for (const { from, to } of other.ranges()) this.add(from, to);
  }

  /** The parts of [from, to) that are in the set. */
  *within(from: number, to: number): Generator<{ readonly from: number; readonly to: number }> {
    for (let index = Math.max(0, this.#upTo(from)); index < this.#starts.length; index += 1) {
      const start = Math.max(from, this.#starts[index] as number);
      const end = Math.min(to, this.#ends[index] as number);
      if (start >= to) return;
      if (start < end) yield { from: start, to: end };
    }
  }

  ranges(): Generator<{ readonly from: number; readonly to: number }> {
    return this.within(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
  }

  /** Index of the last range that begins at or before `offset`; -1 when there is none. */
  #upTo(offset: number): number {
    let [low, high] = [0, this.#starts.length];
    // What comes in order goes behind the last.
    if (high > 0 && (this.#starts[high - 1] as number) <= offset) return high - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#starts[middle] as number) <= offset) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}
