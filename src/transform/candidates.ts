/**
 * The values found in one record for one canonical field, at most CAPACITY of them, as parallel arrays
 * that are filled again for every record. When more are found the worst one gives way.
 */
import type { FieldRule } from './fields/field-rule.ts';
import { KIND } from './json-bytes.ts';

const CAPACITY = 8;

export class Candidates {
  count = 0;
  /** Lower is better; see field-rule.ts. */
  readonly rank = new Int32Array(CAPACITY);
  readonly variant = new Int32Array(CAPACITY);
  readonly start = new Int32Array(CAPACITY);
  readonly end = new Int32Array(CAPACITY);
  /** One of KIND. */
  readonly kind = new Int32Array(CAPACITY);
  /** Index of the member of the record that is the value, -1 when it lies deeper. */
  readonly member = new Int32Array(CAPACITY);

  /** Adds a value. Null, true, false and the empty string mean that the field is absent. */
  add(rule: FieldRule, addedRank: number, start: number, end: number, kind: number, member: number): void {
    if (kind > KIND.array || (kind === KIND.string && end - start === 2)) return;
    const rank = rule.rank + addedRank;
    const slot = this.count < CAPACITY ? this.count++ : this.#worst(rank);
    if (slot < 0) return;
    this.rank[slot] = rank;
    this.variant[slot] = rule.variant;
    this.start[slot] = start;
    this.end[slot] = end;
    this.kind[slot] = kind;
    this.member[slot] = member;
  }

  /** The slot with the best rank that is worse than `above`, the last one of equals; -1 for none. */
  best(above: number): number {
    if (this.count === 1) return (this.rank[0] as number) > above ? 0 : -1;
    let best = -1;
    let bestRank = Number.MAX_SAFE_INTEGER;
    for (let slot = 0; slot < this.count; slot++) {
      const rank = this.rank[slot] as number;
      if (rank > above && rank <= bestRank) {
        best = slot;
        bestRank = rank;
      }
    }
    return best;
  }

  /** A slot to overwrite by a value of `rank`; -1 when all held ones are better. */
  #worst(rank: number): number {
    let worst = -1;
    let worstRank = rank - 1;
    for (let slot = 0; slot < CAPACITY; slot++) {
      if ((this.rank[slot] as number) > worstRank) {
        worst = slot;
        worstRank = this.rank[slot] as number;
      }
    }
    return worst;
  }
}
