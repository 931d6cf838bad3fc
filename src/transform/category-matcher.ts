/** The category rules of the configuration, compiled to bit masks per field name. */
import type { CategoryRule, CategoryRules } from '../core/category-rules.ts';
import { CATEGORIES } from '../core/files.ts';
import { LEVEL_RANK } from '../core/level.ts';
import { normaliseName } from './fields/field-rule.ts';

/** What a field says about categories; bit i of a mask stands for CATEGORIES[i]. */
export interface FieldCategories {
  /** When the field has any value but null. */
  readonly present: number;
  /** When its value is a number. */
  readonly numeric: number;
  /** When its value is one of these texts, in lower case; null when no text matters. */
  readonly values: ReadonlyMap<string, number> | null;
}

export class CategoryMatcher {
  /** Mask per level rank. */
  readonly ofLevel: readonly number[];
  /** Mask of records that carry an exception. */
  readonly ofException: number;
  readonly #fields = new Map<string, number>();
  readonly #endings: (readonly [ending: string, mask: number])[] = [];
  readonly #values = new Map<string, Map<string, number>>();

  constructor(rules: CategoryRules) {
    let ofException = 0;
    const ofLevel = Object.values(LEVEL_RANK).map(() => 0);
    for (const [index, category] of CATEGORIES.entries()) {
      const mask = 1 << index;
      const rule = rules[category];
      if (rule.exception) ofException |= mask;
      const minRank = rule.minLevel === null ? ofLevel.length : LEVEL_RANK[rule.minLevel];
      for (let rank = minRank; rank < ofLevel.length; rank++) ofLevel[rank] = (ofLevel[rank] ?? 0) | mask;
      this.#addNames(rule, mask);
    }
    this.ofLevel = ofLevel;
    this.ofException = ofException;
  }

  /** The categories that a field of this normalised name can put a record into. */
  describe(name: string): FieldCategories {
    let numeric = 0;
    for (const [ending, mask] of this.#endings) {
      if (name.endsWith(ending)) numeric |= mask;
    }
    return { present: this.#fields.get(name) ?? 0, numeric, values: this.#values.get(name) ?? null };
  }

  #addNames(rule: CategoryRule, mask: number): void {
    for (const field of rule.fields) {
      const name = normaliseName(field);
      this.#fields.set(name, (this.#fields.get(name) ?? 0) | mask);
    }
    for (const ending of rule.numericFieldEndings) this.#endings.push([normaliseName(ending), mask]);
    for (const [field, texts] of Object.entries(rule.values)) {
      const name = normaliseName(field);
      const values = this.#values.get(name) ?? new Map<string, number>();
      for (const text of texts) values.set(text.toLowerCase(), (values.get(text.toLowerCase()) ?? 0) | mask);
      this.#values.set(name, values);
    }
  }
}
