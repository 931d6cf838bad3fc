/**
 * Reads one JSON record as bytes in a single pass: proves that it is valid (RFC 8259, UTF-8, bounded
 * depth) and notes where the members of the object lie, and the members one level down.
 *
 * Invariants: nothing is copied or decoded; the tables below are valid until the next `scan`; positions
 * refer to the scanned array. Nesting is a counter, not a call stack, so depth costs no memory beyond
 * one byte per allowed level. A byte order mark at the start is skipped (RFC 8259 section 8.1 allows it).
 */
import type { QuarantineReason } from '../core/quarantine.ts';
import {
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  isLineSeparator,
  KIND,
  OPEN_BRACE,
  OPEN_BRACKET,
  PLAIN,
  QUOTE,
  utf8SequenceLength,
} from './json-bytes.ts';
import { escapeEnd, literalEnd, literalKind, numberEnd } from './json-tokens.ts';
import { type KeyTable, NO_KEY } from './key-table.ts';
import { MemberTable } from './member-table.ts';

/** Returned instead of a position by the parts of the scanner; the reason is in `failure`. */
const FAILED = -1;

export class JsonScanner {
  /** Members of the record itself, in order. */
  readonly members = new MemberTable();
  /** Members of those members that are objects; `parent` is the index in `members`. */
  readonly children = new MemberTable();
  /** Positions of the record's own braces, after a successful scan. */
  objectStart = 0;
  objectEnd = 0;
  /**
   * Whether a verbatim copy could break a line in two: a tab or line end between tokens, or one of
   * U+0085, U+2028, U+2029 in a string.
   */
  needsCare = false;
  /** Why the last scan failed, null when it did not. */
  failure: QuarantineReason | null = null;
  /** One sentence for people about `failure`. */
  failureDetail = '';

  /** Where the scanned value begins, so that details count from its first byte. */
  #origin = 0;
  // Second results of the methods below, besides the position that they return.
  #kind = 0;
  #keyEnd = 0;
  #keyId = NO_KEY;

  readonly #keys: KeyTable;
  readonly #maxDepth: number;
  readonly #isObjectAt: Uint8Array;

  /** `maxDepth` counts nested objects and arrays, the record itself being 1. */
  constructor(keys: KeyTable, maxDepth: number) {
    this.#keys = keys;
    this.#maxDepth = maxDepth;
    this.#isObjectAt = new Uint8Array(maxDepth + 2);
  }

  /** Scans `start`..`end`. True when that is one valid JSON object; otherwise `failure` says why. */
  scan(bytes: Uint8Array, start: number, end: number): boolean {
    this.members.count = 0;
    this.children.count = 0;
    this.needsCare = false;
    this.failure = null;
    this.#origin = start;
    this.#keys.beginRecord();
    const hasMark = bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf;
    const at = this.#skipSpace(bytes, hasMark && start + 3 <= end ? start + 3 : start, end);
    if (at >= end) {
      this.failure = 'empty';
      this.failureDetail = 'the value has no content';
      return false;
    }
    if (bytes[at] !== OPEN_BRACE) return this.#rejectNonObject(bytes, at, end);
    this.objectStart = at;
    const after = this.#object(bytes, at + 1, end);
    if (after === FAILED) return false;
    this.objectEnd = after;
    return this.#skipSpace(bytes, after, end) >= end || this.#unexpected(bytes, after, end) !== FAILED;
  }

  /** The members of the record; `at` is after its opening brace. Returns the position after its end. */
  #object(bytes: Uint8Array, at: number, end: number): number {
    const members = this.members;
    this.#keyId = NO_KEY;
    let p = this.#skipSpace(bytes, at, end);
    if (p < end && bytes[p] === CLOSE_BRACE) return p + 1;
    for (;;) {
      const keyStart = p;
      p = this.#key(bytes, p, end);
      if (p === FAILED) return FAILED;
      if (p < end && (bytes[p] as number) <= 0x20) p = this.#skipSpace(bytes, p, end);
      const index = members.add(this.#keyId, keyStart, this.#keyEnd, p);
      const first = p < end ? (bytes[p] as number) : 0;
      if (first === QUOTE) {
        p++;
        while (p < end && PLAIN[bytes[p] as number] === 1) p++;
        p = p < end && bytes[p] === QUOTE ? p + 1 : this.#string(bytes, p, end);
        if (p === FAILED) return FAILED;
        members.finish(index, p, KIND.string);
      } else if (first === OPEN_BRACE || first === OPEN_BRACKET) {
        p = this.#container(bytes, p, end, index);
        if (p === FAILED) return FAILED;
        members.finish(index, p, first === OPEN_BRACE ? KIND.object : KIND.array);
      } else {
        p = this.#numberOrLiteral(bytes, p, end);
        if (p === FAILED) return FAILED;
        members.finish(index, p, this.#kind);
      }
      if (p < end && (bytes[p] as number) <= 0x20) p = this.#skipSpace(bytes, p, end);
      if (p >= end) return this.#unexpected(bytes, p, end);
      if (bytes[p] === CLOSE_BRACE) return p + 1;
      if (bytes[p] !== COMMA) return this.#unexpected(bytes, p, end);
      p++;
      if (p < end && (bytes[p] as number) <= 0x20) p = this.#skipSpace(bytes, p, end);
    }
  }

  /**
   * A nested object or array whose opening bracket is at `at`, by a loop over all its tokens.
   * Members of an object directly below the record go to `children`.
   */
  #container(bytes: Uint8Array, at: number, end: number, parent: number): number {
    const isObjectAt = this.#isObjectAt;
    const children = this.children;
    const notesChildren = bytes[at] === OPEN_BRACE;
    let depth = 1;
    let inObject = false;
    let child = -1;
    let p = at;
    let opens = true;
    for (;;) {
      if (opens) {
        inObject = bytes[p] === OPEN_BRACE;
        depth++;
        if (depth > this.#maxDepth) return this.#tooDeep(p);
        isObjectAt[depth] = inObject ? 1 : 0;
        p = this.#skipSpace(bytes, p + 1, end);
      }
      const isEmpty = opens && p < end && bytes[p] === (inObject ? CLOSE_BRACE : CLOSE_BRACKET);
      opens = false;
      if (!isEmpty) {
        const isChild = notesChildren && depth === 2;
        if (isChild) {
          const keyStart = p;
          p = this.#key(bytes, p, end);
          if (p === FAILED) return FAILED;
          p = this.#skipSpace(bytes, p, end);
          child = children.add(this.#keyId, keyStart, this.#keyEnd, p);
          children.parent[child] = parent;
        } else if (inObject) {
          p = this.#keyToken(bytes, p, end);
          if (p === FAILED) return FAILED;
          p = this.#skipSpace(bytes, p, end);
        }
        const first = p < end ? (bytes[p] as number) : 0;
        if (first === OPEN_BRACE || first === OPEN_BRACKET) {
          if (isChild) children.kind[child] = first === OPEN_BRACE ? KIND.object : KIND.array;
          opens = true;
          continue;
        }
        if (first === QUOTE) {
          p = this.#string(bytes, p + 1, end);
          this.#kind = KIND.string;
        } else {
          p = this.#numberOrLiteral(bytes, p, end);
        }
        if (p === FAILED) return FAILED;
        if (isChild) children.finish(child, p, this.#kind);
      }
      // After a value (or in an empty container): close as many containers as end here.
      for (;;) {
        p = this.#skipSpace(bytes, p, end);
        if (p >= end) return this.#unexpected(bytes, p, end);
        if (bytes[p] !== (inObject ? CLOSE_BRACE : CLOSE_BRACKET)) break;
        p++;
        depth--;
        if (depth === 1) return p;
        inObject = isObjectAt[depth] === 1;
        if (depth === 2 && notesChildren) children.valueEnd[child] = p;
      }
      if (bytes[p] !== COMMA) return this.#unexpected(bytes, p, end);
      p = this.#skipSpace(bytes, p + 1, end);
    }
  }

  /** A key and its colon. Returns the position after the colon; `#keyEnd` is that after the key. */
  #keyToken(bytes: Uint8Array, at: number, end: number): number {
    if (at >= end || bytes[at] !== QUOTE) return this.#unexpected(bytes, at, end);
    const keyEnd = this.#string(bytes, at + 1, end);
    if (keyEnd === FAILED) return FAILED;
    this.#keyEnd = keyEnd;
    const colon = this.#skipSpace(bytes, keyEnd, end);
    if (colon >= end || bytes[colon] !== COLON) return this.#unexpected(bytes, colon, end);
    return colon + 1;
  }

  /** A key of `members` or `children` and its colon: also finds its id, which `#keyId` then is. */
  #key(bytes: Uint8Array, at: number, end: number): number {
    const keys = this.#keys;
    const guess = keys.guess(bytes, at, end, this.#keyId);
    if (guess !== NO_KEY) {
      this.#keyId = guess;
      const after = at + (keys.tokenLength[guess] as number);
      this.#keyEnd = after - 1;
      return after;
    }
    const after = this.#keyToken(bytes, at, end);
    if (after !== FAILED) this.#keyId = keys.find(bytes, at + 1, this.#keyEnd - 1, this.#keyId);
    return after;
  }

  /** The rest of a string after its opening quote. Returns the position after the closing one. */
  #string(bytes: Uint8Array, at: number, end: number): number {
    let p = at;
    for (;;) {
      while (p < end && PLAIN[bytes[p] as number] === 1) p++;
      if (p >= end) return this.#unexpected(bytes, p, end);
      const byte = bytes[p] as number;
      if (byte === QUOTE) return p + 1;
      if (byte >= 0x80) {
        p = this.#nonAscii(bytes, p, end);
        if (p === FAILED) return FAILED;
      } else {
        p = escapeEnd(bytes, p, end);
        if (p < 0) return this.#unexpected(bytes, ~p, end);
      }
    }
  }

  #nonAscii(bytes: Uint8Array, at: number, end: number): number {
    let p = at;
    while (p < end && (bytes[p] as number) >= 0x80) {
      const length = utf8SequenceLength(bytes, p, end);
      if (length === 0) return this.#unexpected(bytes, p, end);
      if (isLineSeparator(bytes, p)) this.needsCare = true;
      p += length;
    }
    return p;
  }

  #numberOrLiteral(bytes: Uint8Array, at: number, end: number): number {
    if (at >= end) return this.#unexpected(bytes, at, end);
    const first = bytes[at] as number;
    const isNumber = first === 0x2d || (first >= 0x30 && first <= 0x39);
    this.#kind = isNumber ? KIND.number : literalKind(first);
    const after = isNumber ? numberEnd(bytes, at, end) : literalEnd(bytes, at, end);
    return after < 0 ? this.#unexpected(bytes, ~after, end) : after;
  }

  #skipSpace(bytes: Uint8Array, at: number, end: number): number {
    let p = at;
    while (p < end) {
      const byte = bytes[p] as number;
      if (byte > 0x20) break;
      if (byte === 0x0a || byte === 0x0d || byte === 0x09) this.needsCare = true;
      else if (byte !== 0x20) break;
      p++;
    }
    return p;
  }

  /** Valid JSON that is no object is told apart from text that is no JSON. Always false. */
  #rejectNonObject(bytes: Uint8Array, at: number, end: number): false {
    const first = bytes[at];
    let after: number;
    if (first === OPEN_BRACKET) after = this.#container(bytes, at, end, 0);
    else if (first === QUOTE) after = this.#string(bytes, at + 1, end);
    else after = this.#numberOrLiteral(bytes, at, end);
    if (after === FAILED) return false;
    const rest = this.#skipSpace(bytes, after, end);
    if (rest < end) {
      this.#unexpected(bytes, rest, end);
      return false;
    }
    this.failure = 'not_object';
    this.failureDetail = 'the value is JSON but not an object';
    return false;
  }

  #tooDeep(at: number): typeof FAILED {
    this.failure = 'too_deep';
    this.failureDetail = `more than ${this.#maxDepth} nested objects and arrays at byte ${at - this.#origin}`;
    return FAILED;
  }

  #unexpected(bytes: Uint8Array, at: number, end: number): typeof FAILED {
    this.failure = 'not_json';
    if (at >= end) {
      this.failureDetail = 'the text ends inside the object';
      return FAILED;
    }
    const byte = bytes[at] as number;
    const shown = byte > 0x20 && byte < 0x7f ? `'${String.fromCharCode(byte)}'` : `0x${byte.toString(16)}`;
    if (byte >= 0x80 && utf8SequenceLength(bytes, at, end) === 0) this.failure = 'invalid_utf8';
    this.failureDetail = `unexpected ${shown} at byte ${at - this.#origin}`;
    return FAILED;
  }
}
