/**
 * What the bytes of a key mean, remembered per distinct key, so that the rules for names run once per
 * spelling and not once per record.
 *
 * Records of one topic repeat the same keys in the same order, so each key remembers which key came
 * after it last time; a right guess costs one comparison of bytes, a wrong one a hash lookup. The table
 * is bounded: between records it is emptied when it is nearly full (`generation` tells holders of key
 * ids that theirs are void), and in a record with more new keys than fit, further keys share one id that
 * must be described anew before each use.
 */
import { ByteText, equalBytes } from './byte-text.ts';
import type { CategoryMatcher } from './category-matcher.ts';
import { containerOf, type FieldRules, rulesOfName } from './fields/field-dictionary.ts';
import { normaliseName, ROLE } from './fields/field-rule.ts';
import { COLON, decodeString, QUOTE } from './json-bytes.ts';

const CAPACITY = 4096;
const SLOTS = CAPACITY * 4;
/** Longer keys are nobody's canonical field; they share one id and are not stored. */
const MAX_KEY_BYTES = 128;
/** What a key is in the arena: its quotes and its colon around it. */
const TOKEN_EXTRA_BYTES = 3;
const ARENA_BYTES = CAPACITY * 64;
/** Id of no key: the predecessor of a record's first key, and the answer to a wrong guess. */
export const NO_KEY = 0;
const LONG_KEY = 1;
const UNSTORED_KEY = 2;
const FIRST_KEY = 3;
/** Room that must be left when a record begins. */
const ROOM_PER_RECORD = CAPACITY / 4;

/** What a key can be: a canonical field, a sign of a category, one of TRAIT; bits of `meaning`. */
export const MEANING = { field: 1, category: 2, trait: 4 } as const;

/** Facts for which only the presence of a key matters; bits of `traits`. */
export const TRAIT = {
  hostname: 1,
  pid: 2,
  caller: 4,
  verbosity: 8,
  severityText: 16,
  compactTime: 32,
  args: 64,
  tag: 128,
} as const;

const TRAITS = new Map<string, number>([
  ['hostname', TRAIT.hostname],
  ['pid', TRAIT.pid],
  ['caller', TRAIT.caller],
  ['v', TRAIT.verbosity],
  ['severitytext', TRAIT.severityText],
  ['@t', TRAIT.compactTime],
  ['args', TRAIT.args],
  ['tag', TRAIT.tag],
]);

const CANONICAL_KEYS = new Map<string, number>([
  ['timestamp', ROLE.timestamp],
  ['service', ROLE.service],
  ['level', ROLE.level],
  ['message', ROLE.message],
  ['correlation_id', ROLE.correlation],
  ['request_id', ROLE.request],
  ['error_class', ROLE.errorClass],
  ['extra', ROLE.extra],
]);

export class KeyTable {
  /** Bits of MEANING; 0 for keys that mean nothing at all to us. */
  readonly meaning = new Uint8Array(CAPACITY);
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
  /** The ROLE of which this key is exactly the name in our own lines, else ROLE.none. */
  readonly canonical = new Uint8Array(CAPACITY);
  /** Bytes of the key with its quotes and a colon. */
  readonly tokenLength = new Int32Array(CAPACITY);
  generation = 0;

  #count = FIRST_KEY;
  #arenaEnd = 0;
  readonly #categories: CategoryMatcher;
  readonly #slots = new Uint16Array(SLOTS);
  readonly #arena = new ByteText(new Uint8Array(ARENA_BYTES));
  /** The bytes in which keys were looked for last. */
  #viewed = this.#arena;
  readonly #start = new Int32Array(CAPACITY);
  readonly #isGuessable = new Uint8Array(CAPACITY);
  readonly #successor = new Uint16Array(CAPACITY);

  constructor(categories: CategoryMatcher) {
    this.#categories = categories;
  }

  /** Called before the first key of every record. */
  beginRecord(): void {
    const isFull = this.#count > CAPACITY - ROOM_PER_RECORD || this.#arenaEnd > ARENA_BYTES - ARENA_BYTES / 4;
    if (isFull) this.#clear();
  }

  /** Makes the shared id, if `id` is that one, describe the key with its quotes at `start`..`end`. */
  describeUnstored(id: number, bytes: Uint8Array, start: number, end: number): void {
    if (id === UNSTORED_KEY) this.#describe(id, normaliseName(decodeString(bytes, start + 1, end - 1)));
  }

  /** Whether an id stands for one key until `generation` changes. */
  isStored(id: number): boolean {
    return id >= FIRST_KEY;
  }

  /**
   * The id of the key that came after `previous` last time, when it stands at `at` as `"key":`; else
   * NO_KEY. A match is a valid key of plain ASCII, of `tokenLength` bytes.
   */
  guess(bytes: Uint8Array, at: number, end: number, previous: number): number {
    const id = this.#successor[previous] as number;
    const length = this.tokenLength[id] as number;
    if (at + length > end) return NO_KEY;
    if (bytes !== this.#viewed.bytes) this.#viewed = new ByteText(bytes);
    const isSame = equalBytes(this.#viewed.view, at, this.#arena.view, this.#start[id] as number, length);
    return isSame ? id : NO_KEY;
  }

  /** The id of the key whose content is at `start`..`end` and that follows the key `previous`. */
  find(bytes: Uint8Array, start: number, end: number, previous: number): number {
    const id = this.#lookUp(bytes, start, end);
    if ((this.#isGuessable[id] as number) === 1) this.#successor[previous] = id;
    return id;
  }

  #equals(id: number, bytes: Uint8Array, start: number, end: number): boolean {
    if (this.tokenLength[id] !== end - start + TOKEN_EXTRA_BYTES) return false;
    const arena = this.#arena.bytes;
    let p = (this.#start[id] as number) + 1;
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
      if (this.#equals(id, bytes, start, end)) return id;
      slot = (slot + 1) & (SLOTS - 1);
    }
  }

  #insert(slot: number, bytes: Uint8Array, start: number, end: number): number {
    const name = normaliseName(decodeString(bytes, start, end));
    const length = end - start + TOKEN_EXTRA_BYTES;
    if (this.#count === CAPACITY || this.#arenaEnd + length > ARENA_BYTES) {
      this.#describe(UNSTORED_KEY, name);
      return UNSTORED_KEY;
    }
    const id = this.#count++;
    const content = bytes.subarray(start, end);
    this.#slots[slot] = id;
    this.#start[id] = this.#arenaEnd;
    this.tokenLength[id] = length;
    const arena = this.#arena.bytes;
    arena[this.#arenaEnd] = QUOTE;
    arena.set(content, this.#arenaEnd + 1);
    arena[this.#arenaEnd + length - 2] = QUOTE;
    arena[this.#arenaEnd + length - 1] = COLON;
    this.#arenaEnd += length;
    this.#isGuessable[id] = content.every((byte) => byte < 0x80) ? 1 : 0;
    this.#describe(id, name);
    this.canonical[id] = CANONICAL_KEYS.get(Buffer.from(content).toString('latin1')) ?? ROLE.none;
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
    const isCategory = categories.present !== 0 || categories.numeric !== 0 || categories.values !== null;
    this.meaning[id] =
      (rules.length > 0 ? MEANING.field : 0) |
      (isCategory ? MEANING.category : 0) |
      (this.traits[id] === 0 ? 0 : MEANING.trait);
  }

  #clear(): void {
    this.generation++;
    this.#count = FIRST_KEY;
    this.#arenaEnd = 0;
    this.#slots.fill(0);
    this.tokenLength.fill(0);
    this.#isGuessable.fill(0);
    this.#successor.fill(0);
  }
}
