/** Turns the inside of a JSON string into the bytes it stands for, without a string in between. */

const BACKSLASH = 0x5c;
const LETTER_U = 0x75;

/** What the character after a backslash stands for, apart from `u`; every other stands for itself. */
const SHORT_ESCAPES: Readonly<Record<number, number>> = { 98: 8, 102: 12, 110: 10, 114: 13, 116: 9 };

/** @param text the UTF-8 between the quotes of a valid JSON string */
export function unescapeJson(text: Buffer): Buffer {
  let next = text.indexOf(BACKSLASH);
  if (next === -1) return text;
  const bytes = Buffer.allocUnsafe(text.length);
  let [length, at] = [0, 0];
  while (next !== -1) {
    length += text.copy(bytes, length, at, next);
    const kind = text[next + 1] ?? BACKSLASH;
    if (kind === LETTER_U) {
      at = endOfEscapes(text, next);
      length += bytes.write(JSON.parse(`"${text.toString('latin1', next, at)}"`) as string, length);
    } else {
      bytes[length] = SHORT_ESCAPES[kind] ?? kind;
      length += 1;
      at = next + 2;
    }
    next = text.indexOf(BACKSLASH, at);
  }
  length += text.copy(bytes, length, at);
  return bytes.subarray(0, length);
}

const ESCAPE_BYTES = 6;

/** Two `\u` escapes in a row can be the halves of one character. */
function endOfEscapes(text: Buffer, start: number): number {
  const next = start + ESCAPE_BYTES;
  const isPair = text[next] === BACKSLASH && text[next + 1] === LETTER_U;
  return isPair ? next + ESCAPE_BYTES : next;
}
