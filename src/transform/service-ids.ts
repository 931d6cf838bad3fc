/**
 * A small number per service name, so that counting per service costs no text. Bounded: names beyond the
 * limit share one id, and only the counts, never the stored lines, lose them.
 */
import { OTHER_SERVICES, UNKNOWN_SERVICE } from '../core/services.ts';
import { decodeString } from './json-bytes.ts';

const CAPACITY = 10_000;
const SLOTS = 32_768;
const MAX_NAME_BYTES = 128;
const ARENA_BYTES = 1 << 20;
const OTHER = 0;
const UNKNOWN = 1;

export class ServiceIds {
  readonly #names: string[] = [OTHER_SERVICES];
  readonly #idOfName = new Map<string, number>();
  readonly #slots = new Uint16Array(SLOTS);
  readonly #arena = new Uint8Array(ARENA_BYTES);
  readonly #start: number[] = [];
  readonly #length: number[] = [];
  /** Id of each spelling: one name can be escaped in several ways. */
  readonly #idOfSpelling: number[] = [];
  #arenaEnd = 0;

  constructor() {
    this.#idOf(UNKNOWN_SERVICE);
    this.#addSpelling(0, Buffer.from(''), 0, 0, OTHER);
  }

  /** Id of records that name no service. */
  get unknown(): number {
    return UNKNOWN;
  }

  /** Id of the name whose JSON string content is at `start`..`end`. */
  find(bytes: Uint8Array, start: number, end: number): number {
    if (end - start > MAX_NAME_BYTES) return OTHER;
    let hash = end - start;
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
    let slot = (hash ^ (hash >>> 15)) & (SLOTS - 1);
    for (;;) {
      const spelling = this.#slots[slot] as number;
      if (spelling === 0) break;
      if (this.#equals(spelling, bytes, start, end)) return this.#idOfSpelling[spelling] as number;
      slot = (slot + 1) & (SLOTS - 1);
    }
    if (this.#start.length >= CAPACITY || this.#arenaEnd + (end - start) > ARENA_BYTES) return OTHER;
    const id = this.#idOf(decodeString(bytes, start, end));
    this.#addSpelling(slot, bytes, start, end, id);
    return id;
  }

  /** The name of an id. */
  nameOf(id: number): string {
    return this.#names[id] ?? OTHER_SERVICES;
  }

  #equals(spelling: number, bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#length[spelling] !== end - start) return false;
    const from = this.#start[spelling] as number;
    for (let i = 0; i < end - start; i++) {
      if (this.#arena[from + i] !== bytes[start + i]) return false;
    }
    return true;
  }

  #idOf(name: string): number {
    const known = this.#idOfName.get(name);
    if (known !== undefined) return known;
    const id = this.#names.length;
    this.#names.push(name);
    this.#idOfName.set(name, id);
    return id;
  }

  #addSpelling(slot: number, bytes: Uint8Array, start: number, end: number, id: number): void {
    const spelling = this.#start.length;
    if (spelling > 0) this.#slots[slot] = spelling;
    this.#start.push(this.#arenaEnd);
    this.#length.push(end - start);
    this.#idOfSpelling.push(id);
    this.#arena.set(bytes.subarray(start, end), this.#arenaEnd);
    this.#arenaEnd += end - start;
  }
}
