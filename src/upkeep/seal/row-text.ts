/**
 * Rows on their way into the columnar sidecar: one text line per stored line, its fields apart from each
 * other by a character that JSON text never contains raw. DuckDB's own reader of JSON writes numbers and
 * escapes anew and refuses lone surrogates; this way `extra` arrives as its own bytes.
 *
 * Format: the fields of STORED_FIELDS in order, then the categories as a number, separated by U+001F,
 * ended by a newline. Strings are decoded; in them the control characters of ESCAPES stand as U+001E and
 * a letter. An absent field is U+001E and `-`. A lone surrogate, which UTF-8 has no bytes for, becomes
 * U+FFFD; the line keeps its escape.
 */

export const FIELD_SEPARATOR = '\u001f';
export const ESCAPE = '\u001e';
export const ABSENT_FIELD = `${ESCAPE}-`;

/** The characters that would break a row apart, and the letters that stand for them. */
export const ESCAPES: ReadonlyMap<string, string> = new Map([
  [ESCAPE, 'e'],
  [FIELD_SEPARATOR, 'f'],
  ['\n', 'n'],
  ['\r', 'r'],
  ['\0', 'z'],
]);

const BREAKING = new RegExp(`[${[...ESCAPES.keys()].join('')}]`, 'g');

/** Makes decoded text safe inside a row. */
export function protect(text: string): string {
  return text.replace(BREAKING, (character) => ESCAPE + (ESCAPES.get(character) ?? ''));
}
