/**
 * Finds the fields of a line of `service_logs`, whose form is ours: known keys, in their order, without
 * space between tokens, every value but `extra` a string. Nothing is copied or decoded.
 */
import { BACKSLASH, CLOSE_BRACE, COMMA, OPEN_BRACE, QUOTE } from './json-bytes.ts';

/** The fields of a stored line, in their order (docs/record.md). */
export const STORED_FIELDS = [
  'timestamp',
  'service',
  'level',
  'message',
  'correlation_id',
  'request_id',
  'error_class',
  'extra',
] as const;

/** Index in STORED_FIELDS by name. */
export const STORED = {
  timestamp: 0,
  service: 1,
  level: 2,
  message: 3,
  correlation_id: 4,
  request_id: 5,
  error_class: 6,
  extra: 7,
} as const satisfies Record<(typeof STORED_FIELDS)[number], number>;

const KEYS = STORED_FIELDS.map((name) => Buffer.from(`"${name}":`));
const ABSENT = -1;

export class StoredLine {
  /** By STORED: where the value begins, without quotes; -1 when the line has no such field. */
  readonly start = new Int32Array(STORED_FIELDS.length);
  /** By STORED: where the value ends, without quotes. */
  readonly end = new Int32Array(STORED_FIELDS.length);

  /** Reads the line `start`..`end`, without its newline. False when it does not have the form. */
  read(bytes: Uint8Array, start: number, end: number): boolean {
    this.start.fill(ABSENT);
    const last = end - 1;
    if (last <= start || bytes[start] !== OPEN_BRACE || bytes[last] !== CLOSE_BRACE) return false;
    let at = start + 1;
    for (let field = 0; field < STORED_FIELDS.length && at < last; field += 1) {
      const key = KEYS[field] as Buffer;
      if (!startsWith(bytes, at, key)) continue;
      const valueStart = at + key.length;
      if (field === STORED.extra) {
        this.start[field] = valueStart;
        this.end[field] = last;
        return bytes[valueStart] === OPEN_BRACE && bytes[last - 1] === CLOSE_BRACE;
      }
      const valueEnd = stringEnd(bytes, valueStart, last);
      if (valueEnd === ABSENT) return false;
      this.start[field] = valueStart + 1;
      this.end[field] = valueEnd;
      at = valueEnd + 1;
      if (at < last && bytes[at] !== COMMA) return false;
      if (at < last) at += 1;
    }
    return at === last;
  }

  has(field: number): boolean {
    return this.start[field] !== ABSENT;
  }
}

function startsWith(bytes: Uint8Array, at: number, prefix: Buffer): boolean {
  for (let index = 0; index < prefix.length; index += 1) {
    if (bytes[at + index] !== prefix[index]) return false;
  }
  return true;
}

/** Position of the closing quote of the string at `start`; -1 when there is no string. */
function stringEnd(bytes: Uint8Array, start: number, limit: number): number {
  if (bytes[start] !== QUOTE) return ABSENT;
  for (let at = start + 1; at < limit; at += 1) {
    const byte = bytes[at];
    if (byte === QUOTE) return at;
    if (byte === BACKSLASH) at += 1;
  }
  return ABSENT;
}
