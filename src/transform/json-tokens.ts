/**
 * The small tokens of JSON (RFC 8259). Each function returns the position after its token, or the
 * complement (`~`, always negative) of the position of the first byte that does not fit.
 */
import { BACKSLASH, KIND } from './json-bytes.ts';

interface Literal {
  readonly text: Uint8Array;
  readonly kind: number;
}

/** By first byte. */
const LITERALS = new Map<number, Literal>(
  (['true', 'false', 'null'] as const).map((name) => [
    name.charCodeAt(0),
    { text: Buffer.from(name), kind: KIND[name] },
  ]),
);

/** The characters that may follow a backslash, besides `u`. */
const SHORT_ESCAPES = new Uint8Array(256);
for (const character of '"\\/bfnrt') SHORT_ESCAPES[character.charCodeAt(0)] = 1;

function isHexDigit(byte: number): boolean {
  const letter = byte | 0x20;
  return (byte >= 0x30 && byte <= 0x39) || (letter >= 0x61 && letter <= 0x66);
}

function skipDigits(bytes: Uint8Array, at: number, end: number): number {
  let p = at;
  while (p < end && (bytes[p] as number) >= 0x30 && (bytes[p] as number) <= 0x39) p++;
  return p;
}

/** Kind of the literal that begins with this byte, 0 for none. */
export function literalKind(first: number): number {
  return LITERALS.get(first)?.kind ?? 0;
}

/** `true`, `false` or `null` at `at`. */
export function literalEnd(bytes: Uint8Array, at: number, end: number): number {
  const text = LITERALS.get(bytes[at] as number)?.text;
  if (text === undefined) return ~at;
  for (let i = 0; i < text.length; i++) {
    if (at + i >= end || bytes[at + i] !== text[i]) return ~(at + i);
  }
  return at + text.length;
}

/** An escape, whose backslash should be at `at`. */
export function escapeEnd(bytes: Uint8Array, at: number, end: number): number {
  if (bytes[at] !== BACKSLASH || at + 1 >= end) return ~at;
  const kind = bytes[at + 1] as number;
  if (SHORT_ESCAPES[kind] === 1) return at + 2;
  if (kind !== 0x75 || at + 6 > end) return ~at;
  for (let i = at + 2; i < at + 6; i++) {
    if (!isHexDigit(bytes[i] as number)) return ~i;
  }
  return at + 6;
}

/** A number that begins at `at`, with `-` or a digit. */
export function numberEnd(bytes: Uint8Array, at: number, end: number): number {
  let p = bytes[at] === 0x2d ? at + 1 : at;
  const integerEnd = p < end && bytes[p] === 0x30 ? p + 1 : skipDigits(bytes, p, end);
  if (integerEnd === p) return ~p;
  p = integerEnd;
  if (p < end && bytes[p] === 0x2e) {
    const fractionEnd = skipDigits(bytes, p + 1, end);
    if (fractionEnd === p + 1) return ~fractionEnd;
    p = fractionEnd;
  }
  if (p < end && ((bytes[p] as number) | 0x20) === 0x65) {
    p++;
    if (p < end && (bytes[p] === 0x2b || bytes[p] === 0x2d)) p++;
    const exponentEnd = skipDigits(bytes, p, end);
    if (exponentEnd === p) return ~p;
    p = exponentEnd;
  }
  return p;
}
