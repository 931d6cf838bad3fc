/**
 * Seeded random numbers: the sfc32 generator (Chris Doty-Humphrey, PractRand), chosen because it is
 * a handful of 32-bit operations and passes the statistical test suites. The same seed always gives
 * the same sequence. Not for secrets.
 */
const BYTE_TO_HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, '0'),
);

/** Draws thrown away after seeding, so that similar seeds give unrelated sequences. */
const WARM_UP_DRAWS = 16;

export class Random {
  private a: number;
  private b: number;
  private c: number;
  private counter = 1;

  /** @param seed any number; only its lowest 53 bits count. */
  constructor(seed: number) {
    this.a = 0x9e3779b9;
    this.b = seed | 0;
    this.c = Math.floor(seed / 2 ** 32) | 0;
    for (let draw = 0; draw < WARM_UP_DRAWS; draw += 1) this.uint32();
  }

  /** A whole number from 0 to 2^32 - 1. */
  uint32(): number {
    const sum = (((this.a + this.b) | 0) + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = ((this.c << 21) | (this.c >>> 11)) + sum;
    return sum >>> 0;
  }

  /** A number from 0 (included) to 1 (excluded). */
  fraction(): number {
    return this.uint32() / 2 ** 32;
  }

  /** A whole number from 0 (included) to `limit` (excluded). */
  below(limit: number): number {
    return Math.floor(this.fraction() * limit);
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  /** One of the items, all equally likely. The list must not be empty. */
  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new RangeError('cannot pick from an empty list');
    return item;
  }

  /** Eight hexadecimal digits. */
  hex8(): string {
    return hexOf(this.uint32());
  }

  /** Sixteen hexadecimal digits, as a span id. */
  hex16(): string {
    return this.hex8() + this.hex8();
  }

  /** Thirty-two hexadecimal digits, as a trace id. */
  hex32(): string {
    return this.hex16() + this.hex16();
  }

  /** A version 4 UUID. */
  uuid(): string {
    const middle = hexOf(((this.uint32() & 0xffff0fff) | 0x4000) >>> 0);
    const variant = hexOf(((this.uint32() & 0x3fffffff) | 0x80000000) >>> 0);
    return `${this.hex8()}-${middle.slice(0, 4)}-${middle.slice(4)}-${variant.slice(0, 4)}-${variant.slice(4)}${this.hex8()}`;
  }
}

function hexOf(word: number): string {
  return (
    `${BYTE_TO_HEX[word >>> 24]}${BYTE_TO_HEX[(word >>> 16) & 0xff]}` +
    `${BYTE_TO_HEX[(word >>> 8) & 0xff]}${BYTE_TO_HEX[word & 0xff]}`
  );
}

/**
 * Draws items by weight through a table of `slots` entries, so a draw is one look-up.
 * Weights are rounded to whole slots; an item with a weight above zero keeps at least one.
 */
export function weightedTable<T>(items: readonly (readonly [T, number])[], slots = 2000): readonly T[] {
  const total = items.reduce((sum, [, weight]) => sum + weight, 0);
  return items.flatMap(([item, weight]) =>
    Array.from({ length: weight > 0 ? Math.max(1, Math.round((weight / total) * slots)) : 0 }, () => item),
  );
}
