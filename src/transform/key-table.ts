/**
 * What the bytes of a key mean, remembered per distinct key, so that the rules for names run once per
 * spelling and not once per record.
 *
 * Records of one topic repeat the same keys in the same order, so each key remembers which key came
 * after it last time; a right guess costs one comparison of bytes, a wrong one a hash lookup. The table
 * is bounded: between records it is emptied when it is nearly full (`generation` tells holders of key
 * ids that theirs are void), and in a record with more new keys than fit, further keys share one id that
 * is described anew at every call.
 */
import type { CategoryMatcher } from './category-matcher.ts';
import { CONTAINER } from './fields/containers.ts';
import { containerOf, type FieldRules, rulesOfName } from './fields/field-dictionary.ts';
import { normaliseName } from './fields/field-rule.ts';
import { decodeString } from './json-bytes.ts';

const CAPACITY = 4096;
const SLOTS = CAPACITY * 4;
/** Longer keys are nobody's canonical field; they share one id and are not stored. */
const MAX_KEY_BYTES = 128;
const ARENA_BYTES = CAPACITY * 64;
/** Id of no key: the predecessor of a record's first key. */
const NO_KEY = 0;
const LONG_KEY = 1;
const UNSTORED_KEY = 2;
const FIRST_KEY = 3;
/** Room that must be left when a record begins. */
const ROOM_PER_RECORD = CAPACITY / 4;

/** Facts for which only the presence of a key matters; bits of `traits`. */
export const TRAIT = { hostname: 1, pid: 2, caller: 4, verbosity: 8, severityText: 16, compactTime: 32 } as const;

const TRAITS = new Map<string, number>([
  ['hostname', TRAIT.hostname],
  ['pid', TRAIT.pid],
  ['caller', TRAIT.caller],
  ['v', TRAIT.verbosity],
  ['severitytext', TRAIT.severityText],
  ['@t', TRAIT.compactTime],
]);

export class KeyTable {
  /** 0 for keys that mean nothing at all to us. */
  readonly matters = new Uint8Array(CAPACITY);
  /** One of CONTAINER: what an object under this key can hold. */
  readonly container = new Uint8Array(CAPACITY);
  /** Bits of TRAIT. */
  readonly traits = new Uint8Array(CAPACITY);
  /** Category masks, see FieldCategories. */
  readonly present = new Uint8Array(CAPACITY);
  readonly numeric = new Uint8Array(CAPACITY);
  readonly values: (ReadonlyMap<string, number> | null)[] = [null, null, null];
  readonly rules: FieldRules[] = [[], [], []];
  /** The name as it is compared. */
  readonly names: string[] = ['', '', ''];
  generation = 0;

  #count = FIRST_KEY;
  #arenaEnd = 0;
  readonly #categories: CategoryMatcher;
  readonly #slots = new Uint16Array(SLOTS);
  readonly #arena = new Uint8Array(ARENA_BYTES);
  readonly #start = new Int32Array(CAPACITY);
  readonly #length = new Int32Array(CAPACITY).fill(-1);
  readonly #successor = new Uint16Array(CAPACITY);

  constructor(categories: CategoryMatcher) {
    this.#categories = categories;
  }

  /** Called before the first key of every record. */
  beginRecord(): void {
    const isFull = this.#count > CAPACITY - ROOM_PER_RECORD || this.#arenaEnd > ARENA_BYTES - ARENA_BYTES / 4;
    if (isFull) this.#clear();
  }

  /** Whether an id stands for one key until `generation` changes. */
  isStored(id: number): boolean {
    return id >= FIRST_KEY;
  }

  /** The id of the key whose content is at `start`..`end` and that follows the key `previous` (0: none). */
  find(bytes: Uint8Array, start: number, end: number, previous: number): number {
    const guess = this.#successor[previous] as number;
    if (this.#length[guess] === end - start && this.#equals(guess, bytes, start, end)) return guess;
    const id = this.#lookUp(bytes, start, end);
    if (id >= FIRST_KEY) this.#successor[previous] = id;
    return id;
  }

  #equals(id: number, bytes: Uint8Array, start: number, end: number): boolean {
    const arena = this.#arena;
    let p = this.#start[id] as number;
    for (let i = start; i < end; i++) {
      if (arena[p++] !== bytes[i]) return false;
    }
    return true;
  }

  #lookUp(bytes: Uint8Array, start: number, end: number): number {
    if (end - start > MAX_KEY_BYTES) return LONG_KEY;
    let hash = end - start;
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
    let slot = (hash ^ (hash >>> 15)) & (SLOTS - 1);
    for (;;) {
      const id = this.#slots[slot] as number;
      if (id === NO_KEY) return this.#insert(slot, bytes, start, end);
      if (this.#length[id] === end - start && this.#equals(id, bytes, start, end)) return id;
      slot = (slot + 1) & (SLOTS - 1);
    }
  }

  #insert(slot: number, bytes: Uint8Array, start: number, end: number): number {
    if (this.#count === CAPACITY || this.#arenaEnd + (end - start) > ARENA_BYTES) {
      this.#describe(UNSTORED_KEY, normaliseName(decodeString(bytes, start, end)));
      return UNSTORED_KEY;
    }
    const id = this.#count++;
    this.#slots[slot] = id;
    this.#start[id] = this.#arenaEnd;
    this.#length[id] = end - start;
    this.#arena.set(bytes.subarray(start, end), this.#arenaEnd);
    this.#arenaEnd += end - start;
    this.#describe(id, normaliseName(decodeString(bytes, start, end)));
    return id;
  }

  #describe(id: number, name: string): void {
    const categories = this.#categories.describe(name);
    const rules = rulesOfName(name);
    this.names[id] = name;
    this.rules[id] = rules;
    this.values[id] = categories.values;
    this.present[id] = categories.present;
    this.numeric[id] = categories.numeric;
    this.container[id] = containerOf(name);
    this.traits[id] = TRAITS.get(name) ?? 0;
    const isKnown = rules.length > 0 || this.container[id] !== CONTAINER.none || this.traits[id] !== 0;
    const isCategory = categories.present !== 0 || categories.numeric !== 0 || categories.values !== null;
    this.matters[id] = isKnown || isCategory ? 1 : 0;
  }

  #clear(): void {
    this.generation++;
    this.#count = FIRST_KEY;
    this.#arenaEnd = 0;
    this.#slots.fill(0);
    this.#length.fill(-1);
    this.#successor.fill(0);
  }
}
