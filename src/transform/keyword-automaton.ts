/**
 * Finds any of many keywords in bytes in one pass (Aho and Corasick, 1975), without case. Every byte that
 * is no letter or digit counts as one separator, written as a space in keywords, and there is one before
 * and after the text, so ` oom ` is a whole word.
 */
/** 26 letters, 10 digits and the separator. */
const SYMBOLS = 37;
const SEPARATOR = 0;

/** Symbol of each byte: 0 for separators, 1-26 letters, 27-36 digits. */
const SYMBOL_OF = new Uint8Array(256);
for (let i = 0; i < 26; i++) {
  SYMBOL_OF[0x41 + i] = i + 1;
  SYMBOL_OF[0x61 + i] = i + 1;
}
for (let i = 0; i < 10; i++) SYMBOL_OF[0x30 + i] = 27 + i;

export class KeywordAutomaton {
  /** Next state for state * SYMBOLS + symbol. */
  readonly #next: Uint16Array;
  /** Bits of the groups of which a keyword ends in the state. */
  readonly #found: Uint32Array;

  /** `groups[i]` are the keywords that set bit i. */
  constructor(groups: readonly (readonly string[])[]) {
    const length = groups.flat().reduce((sum, keyword) => sum + keyword.length, 1);
    this.#next = new Uint16Array(length * SYMBOLS);
    this.#found = new Uint32Array(length);
    this.#buildTrie(groups);
    this.#linkFailures();
  }

  #buildTrie(groups: readonly (readonly string[])[]): void {
    let states = 1;
    for (const [group, keywords] of groups.entries()) {
      for (const keyword of keywords) {
        let state = 0;
        for (let i = 0; i < keyword.length; i++) {
          const edge = state * SYMBOLS + (SYMBOL_OF[keyword.charCodeAt(i)] as number);
          if (this.#next[edge] === 0) this.#next[edge] = states++;
          state = this.#next[edge] as number;
        }
        this.#found[state] = (this.#found[state] as number) | (1 << group);
      }
    }
  }

  /** Completes the trie breadth first, so that a mismatch goes on from the longest matching suffix. */
  #linkFailures(): void {
    const failure = new Uint16Array(this.#found.length);
    const queue: number[] = [];
    for (let symbol = 0; symbol < SYMBOLS; symbol++) {
      const state = this.#next[symbol] as number;
      if (state !== 0) queue.push(state);
    }
    for (const state of queue) {
      const fallback = failure[state] as number;
      this.#found[state] = (this.#found[state] as number) | (this.#found[fallback] as number);
      for (let symbol = 0; symbol < SYMBOLS; symbol++) {
        const edge = state * SYMBOLS + symbol;
        const target = this.#next[edge] as number;
        const other = this.#next[fallback * SYMBOLS + symbol] as number;
        if (target === 0) this.#next[edge] = other;
        else {
          failure[target] = other;
          queue.push(target);
        }
      }
    }
  }

  /** Bits of all groups with a keyword in `start`..`end`. */
  search(bytes: Uint8Array, start: number, end: number): number {
    const next = this.#next;
    let state = next[SEPARATOR] as number;
    let found = this.#found[state] as number;
    for (let i = start; i < end; i++) {
      state = next[state * SYMBOLS + (SYMBOL_OF[bytes[i] as number] as number)] as number;
      found |= this.#found[state] as number;
    }
    return found | (this.#found[next[state * SYMBOLS + SEPARATOR] as number] as number);
  }
}
