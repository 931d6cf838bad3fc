/**
 * Sorts the members of a scanned record by what they mean: candidates for the canonical fields,
 * exceptions, categories, and the few facts that special formats are told by.
 *
 * Members of the record and of the objects directly in it come from the scanner's tables; only what lies
 * deeper in a known container or on a known path is walked again (see nested-fields.ts).
 */
import { Candidates } from './candidates.ts';
import { CONTAINER } from './fields/containers.ts';
import type { FieldRules } from './fields/field-dictionary.ts';
import { type FieldRule, ROLE } from './fields/field-rule.ts';
import { decodeString, KIND } from './json-bytes.ts';
import type { JsonScanner } from './json-scanner.ts';
import { type KeyTable, MEANING, TRAIT } from './key-table.ts';
import type { MemberTable } from './member-table.ts';
import { NestedFields } from './nested-fields.ts';

/** Texts that stand for categories are short. */
export const MAX_CATEGORY_TEXT_BYTES = 64;
const PAIR_SLOTS = 4096;

export class RecordFields {
  /** By ROLE. */
  readonly candidates: readonly Candidates[] = Object.values(ROLE).map(() => new Candidates());
  /** Categories by fields alone. */
  categories = 0;
  /** Bits of TRAIT of the record's own members. */
  traits = 0;
  /** Value position of the last member with TRAIT.verbosity. */
  verbosityStart = 0;
  verbosityEnd = 0;
  /** How many members are called `extra`, and the last of them. */
  extraCount = 0;
  extraMember = -1;

  readonly #keys: KeyTable;
  readonly #pairs = new Int32Array(PAIR_SLOTS);
  readonly #pairMatters = new Uint8Array(PAIR_SLOTS);
  #pairGeneration = 0;
  readonly #nested: NestedFields;

  constructor(keys: KeyTable) {
    this.#keys = keys;
    this.#nested = new NestedFields(keys, this.candidates);
  }

  /** Sorts the members that `scanner` has found in `bytes`. */
  collect(bytes: Uint8Array, scanner: JsonScanner): void {
    for (let role = 0; role < this.candidates.length; role++) (this.candidates[role] as Candidates).count = 0;
    this.categories = 0;
    this.traits = 0;
    this.extraCount = 0;
    const keys = this.#keys;
    const { members, children } = scanner;
    let child = 0;
    for (let i = 0; i < members.count; i++) {
      const key = members.key[i] as number;
      keys.describeUnstored(key, bytes, members.keyStart[i] as number, members.keyEnd[i] as number);
      const kind = members.kind[i] as number;
      if (keys.meaning[key] !== 0) this.#member(bytes, scanner, i, key, kind);
      if (kind < KIND.object || kind > KIND.array) continue;
      const container = keys.container[key] as number;
      const path = keys.names[key] as string;
      if (kind === KIND.array) {
        if (container < CONTAINER.context) continue;
        this.#nested.walk(
          bytes,
          members.valueStart[i] as number,
          members.valueEnd[i] as number,
          path,
          container,
        );
        continue;
      }
      for (; child < children.count && children.parent[child] === i; child++) {
        const childKey = children.key[child] as number;
        const childStart = children.keyStart[child] as number;
        keys.describeUnstored(childKey, bytes, childStart, children.keyEnd[child] as number);
        if (((keys.meaning[childKey] as number) & MEANING.category) !== 0)
          this.#categoriseChild(bytes, children, child, childKey);
        if (container === CONTAINER.none || !this.#matters(key, childKey, path, container)) continue;
        this.#nested.member(
          bytes,
          keys.names[childKey] as string,
          children.valueStart[child] as number,
          children.valueEnd[child] as number,
          children.kind[child] as number,
          path,
          container,
        );
      }
    }
  }

  /** `NestedFields.matters`, remembered per pair of keys. */
  #matters(parentKey: number, childKey: number, path: string, container: number): boolean {
    const keys = this.#keys;
    if (!keys.isStored(parentKey) || !keys.isStored(childKey)) {
      return this.#nested.matters(keys.names[childKey] as string, path, container);
    }
    if (this.#pairGeneration !== keys.generation) {
      this.#pairs.fill(0);
      this.#pairGeneration = keys.generation;
    }
    const pair = (parentKey << 16) | childKey;
    const slot = ((parentKey * 61) ^ childKey) & (PAIR_SLOTS - 1);
    if (this.#pairs[slot] !== pair) {
      this.#pairs[slot] = pair;
      this.#pairMatters[slot] = this.#nested.matters(keys.names[childKey] as string, path, container) ? 1 : 0;
    }
    return this.#pairMatters[slot] === 1;
  }

  #categoriseChild(bytes: Uint8Array, children: MemberTable, child: number, key: number): void {
    const start = children.valueStart[child] as number;
    this.#categorise(bytes, key, children.kind[child] as number, start, children.valueEnd[child] as number);
  }

  #member(bytes: Uint8Array, scanner: JsonScanner, index: number, key: number, kind: number): void {
    const keys = this.#keys;
    const start = scanner.members.valueStart[index] as number;
    const end = scanner.members.valueEnd[index] as number;
    const meaning = keys.meaning[key] as number;
    if ((meaning & MEANING.category) !== 0) this.#categorise(bytes, key, kind, start, end);
    if ((meaning & MEANING.trait) !== 0) this.#trait(key, start, end);
    if ((meaning & MEANING.field) === 0) return;
    const rules = keys.rules[key] as FieldRules;
    for (let i = 0; i < rules.length; i++) {
      const rule = rules[i] as FieldRule;
      if (rule.role === ROLE.extra) {
        this.extraCount++;
        this.extraMember = index;
      } else {
        (this.candidates[rule.role] as Candidates).add(rule, 0, start, end, kind, index);
      }
    }
  }

  #trait(key: number, start: number, end: number): void {
    const trait = this.#keys.traits[key] as number;
    this.traits |= trait;
    if (trait === TRAIT.verbosity) {
      this.verbosityStart = start;
      this.verbosityEnd = end;
    }
  }

  #categorise(bytes: Uint8Array, key: number, kind: number, start: number, end: number): void {
    const keys = this.#keys;
    if (kind !== KIND.null) this.categories |= keys.present[key] as number;
    if (kind === KIND.number) this.categories |= keys.numeric[key] as number;
    const values = keys.values[key];
    if (values == null || kind !== KIND.string || end - start > MAX_CATEGORY_TEXT_BYTES) return;
    this.categories |= values.get(decodeString(bytes, start + 1, end - 1).toLowerCase()) ?? 0;
  }
}
