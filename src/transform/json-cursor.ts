/**
 * Walks over text that the scanner has already accepted, for the few nested values that matter. It
 * checks nothing again.
 */
import {
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  decodeString,
  KIND,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
} from './json-bytes.ts';

/** Kind of the value that begins at `at`. */
function kindAt(bytes: Uint8Array, at: number): number {
  switch (bytes[at]) {
    case QUOTE:
      return KIND.string;
    case OPEN_BRACE:
      return KIND.object;
    case OPEN_BRACKET:
      return KIND.array;
    case 0x74:
      return KIND.true;
    case 0x66:
      return KIND.false;
    case 0x6e:
      return KIND.null;
    default:
      return KIND.number;
  }
}

/** Position after the string whose opening quote is at `at`. */
function skipString(bytes: Uint8Array, at: number): number {
  let p = at + 1;
  while (bytes[p] !== QUOTE) p += bytes[p] === 0x5c ? 2 : 1;
  return p + 1;
}

/** Position after the value that begins at `at` and ends before `end`. */
function skipValue(bytes: Uint8Array, at: number, end: number): number {
  let depth = 0;
  let p = at;
  do {
    const byte = bytes[p];
    if (byte === QUOTE) {
      p = skipString(bytes, p);
      continue;
    }
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++;
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth--;
    else if (depth === 0) return skipScalar(bytes, p, end);
    p++;
  } while (depth > 0);
  return p;
}

function skipScalar(bytes: Uint8Array, at: number, end: number): number {
  let p = at;
  while (p < end) {
    const byte = bytes[p] as number;
    if (byte <= 0x20 || byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET) break;
    p++;
  }
  return p;
}

/** Steps through the members of an object or the elements of an array, without its nested members. */
export class JsonCursor {
  /** Content of the key, without quotes; only in objects. */
  keyStart = 0;
  keyEnd = 0;
  valueStart = 0;
  valueEnd = 0;
  kind = 0;
  readonly #bytes: Uint8Array;
  readonly #isObject: boolean;
  readonly #end: number;
  #at: number;

  /** Over the object or array at `start`..`end`, brackets included. */
  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes;
    this.#isObject = bytes[start] === OPEN_BRACE;
    this.#at = start + 1;
    this.#end = end - 1;
  }

  /** Goes to the next member or element; false after the last. */
  next(): boolean {
    const bytes = this.#bytes;
    let p = this.#skipFiller(this.#at);
    if (p >= this.#end) return false;
    if (this.#isObject) {
      const keyEnd = skipString(bytes, p);
      this.keyStart = p + 1;
      this.keyEnd = keyEnd - 1;
      p = this.#skipFiller(keyEnd);
    }
    this.kind = kindAt(bytes, p);
    this.valueStart = p;
    this.valueEnd = skipValue(bytes, p, this.#end);
    this.#at = this.valueEnd;
    return true;
  }

  /** The key's characters. */
  key(): string {
    return decodeString(this.#bytes, this.keyStart, this.keyEnd);
  }

  #skipFiller(at: number): number {
    let p = at;
    while (p < this.#end) {
      const byte = this.#bytes[p] as number;
      if (byte > 0x20 && byte !== COMMA && byte !== COLON) break;
      p++;
    }
    return p;
  }
}

/** Text of a scalar: the characters of a string, the digits of a number, null for anything else. */
export function scalarText(bytes: Uint8Array, start: number, end: number, kind: number): string | null {
  if (kind === KIND.string) return decodeString(bytes, start + 1, end - 1);
  return kind === KIND.number ? decodeString(bytes, start, end) : null;
}
