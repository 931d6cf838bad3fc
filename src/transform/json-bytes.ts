/** Bytes and kinds shared by everything that reads JSON text as bytes. */

/** What a JSON value is, as small integers so that they fit typed arrays. */
export const KIND = { string: 1, number: 2, object: 3, array: 4, true: 5, false: 6, null: 7 } as const;

export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const COLON = 0x3a;
export const BACKSLASH = 0x5c;
export const OPEN_BRACKET = 0x5b;
export const CLOSE_BRACKET = 0x5d;
export const OPEN_BRACE = 0x7b;
export const CLOSE_BRACE = 0x7d;

/** 1 for bytes that stand for themselves inside a JSON string: printable ASCII but `"` and `\`. */
export const PLAIN = new Uint8Array(256).fill(1, 0x20, 0x80);
PLAIN[QUOTE] = 0;
PLAIN[BACKSLASH] = 0;

/**
 * Length of the UTF-8 sequence at `at`, or 0 when it is not well formed (RFC 3629: no overlong forms,
 * no surrogates, nothing above U+10FFFF). The first byte must be 0x80 or more.
 */
export function utf8SequenceLength(bytes: Uint8Array, at: number, end: number): number {
  const first = bytes[at] as number;
  if (first < 0xc2 || first > 0xf4) return 0;
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (at + length > end) return 0;
  const second = bytes[at + 1] as number;
  const lowest = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const highest = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (second < lowest || second > highest) return 0;
  for (let i = at + 2; i < at + length; i++) {
    if (((bytes[i] as number) & 0xc0) !== 0x80) return 0;
  }
  return length;
}

/** Whether the well-formed sequence at `at` is a line separator of some splitter: U+0085, U+2028, U+2029. */
export function isLineSeparator(bytes: Uint8Array, at: number): boolean {
  const first = bytes[at];
  if (first === 0xc2) return bytes[at + 1] === 0x85;
  return first === 0xe2 && bytes[at + 1] === 0x80 && ((bytes[at + 2] as number) & 0xfe) === 0xa8;
}

/** The characters of a JSON string whose content (without quotes) is at `start`..`end`. */
export function decodeString(bytes: Uint8Array, start: number, end: number): string {
  const text = textOf(bytes, start, end);
  return text.includes('\\') ? (JSON.parse(`"${text}"`) as string) : text;
}

/** The bytes `start`..`end` as text, taken as UTF-8. */
export function textOf(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8');
}

/** The line separators that JSON.stringify leaves as they are. */
const SEPARATORS = new RegExp(`[${String.fromCharCode(0x85, 0x2028, 0x2029)}]`, 'g');

/** JSON text of a value, on one line under any line splitter. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value).replace(
    SEPARATORS,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
