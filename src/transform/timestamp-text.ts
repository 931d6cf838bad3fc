/**
 * Instants written as text in another form than ours: ISO 8601 and RFC 3339 with their relatives, epoch
 * numbers in a string, protobuf text, forms with the name of the month (access logs, RFC 1123, ctime,
 * JavaScript's `Date`), and those of regional-timestamp.ts.
 *
 * A text without a zone is UTC. Fractions of any length are cut to milliseconds. Zone names other than
 * UTC and GMT, a date without a time and impossible dates are unreadable.
 */
import { dateMs, digits, timeMs } from './calendar.ts';
import { parseEpoch } from './epoch-time.ts';
import { withoutRegion } from './regional-timestamp.ts';

const MINUTE_MS = 60_000;

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

const TIME = String.raw`(\d{1,2}):(\d{2}):(\d{2})(?:[.,](\d+))?`;
const ZONE = String.raw`(?:\s*(Z|(?:UTC|GMT)?[+-]\d{2}:?\d{2}|UTC|GMT))?(?:\s+(?:UTC|GMT|\([^)]*\)?))?`;
/** `14/Nov/2023:22:13:20 +0000`, `Tue, 14 Nov 2023 22:13:20 GMT`, `Tuesday, 14-Nov-23 22:13:20 UTC`. */
const DAY_FIRST = new RegExp(
  String.raw`^(?:[a-z]+,?\s+)?(\d{1,2})[\s/-]([a-z]{3})[a-z]*[\s/-](\d{4}|\d{2})(?:,?\s+|:)${TIME}${ZONE}$`,
  'i',
);
/** `Tue Nov 14 22:13:20 2023`, `Tue Nov 14 22:13:20 UTC 2023`. */
const YEAR_LAST = new RegExp(
  String.raw`^(?:[a-z]+,?\s+)?([a-z]{3})[a-z]*\s+(\d{1,2})\s+${TIME}${ZONE}\s+(\d{4})$`,
  'i',
);
/** `Nov 14, 2023 22:13:20`, `Nov-14-2023 22:13:20`, `Tue Nov 14 2023 22:13:20 GMT+0000 (UTC)`. */
const MONTH_FIRST = new RegExp(
  String.raw`^(?:[a-z]+,?\s+)?([a-z]{3})[a-z]*[\s-]+(\d{1,2})(?:,?\s+|-)(\d{4}),?\s+(?:at\s+)?${TIME}${ZONE}$`,
  'i',
);
const PROTOBUF = /^seconds:\s*(\d{1,12})(?:\s+nanos:\s*(\d{1,9}))?$/;
const DOTNET_DATE = /^\/Date\((\d{9,14})(?:[+-]\d{4})?\)\/$/;
/** What may stand after a complete ISO instant: Go's `UTC m=+0.1`, Java's `[Europe/Berlin]`. */
const ISO_REMAINDER = /^(?: [A-Z]{3,5})?(?: m=[+-][\d.]+)?$|^\[[\w/+-]+\]$/;

/** Milliseconds since the epoch of the text at `start`..`end` (no JSON escapes in it), NaN if unreadable. */
export function parseTimestampText(bytes: Uint8Array, start: number, end: number): number {
  let first = start;
  let last = end;
  while (first < last && (bytes[first] as number) <= 0x20) first++;
  while (last > first && (bytes[last - 1] as number) <= 0x20) last--;
  if (bytes[first] === 0x5b && bytes[last - 1] === 0x5d) {
    first++;
    last--;
  }
  const iso = parseIso(bytes, first, last);
  if (!Number.isNaN(iso)) return iso;
  const epoch = parseEpoch(bytes, first, last);
  if (!Number.isNaN(epoch)) return epoch;
  const text = latin1(bytes, first, last);
  const named = parseNamedForms(text);
  return Number.isNaN(named) ? parseRegional(text) : named;
}

function parseRegional(text: string): number {
  const plain = withoutRegion(text);
  if (plain === null) return Number.NaN;
  const bytes = Buffer.from(plain, 'latin1');
  const iso = parseIso(bytes, 0, bytes.length);
  return Number.isNaN(iso) ? parseNamedForms(plain) : iso;
}

function latin1(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, Math.min(end - start, 100)).toString('latin1');
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

/** Extended (`2023-11-14T22:13:20`), slashed and basic (`20231114T221320`) dates with a time. */
function parseIso(bytes: Uint8Array, start: number, end: number): number {
  const separator = bytes[start + 4];
  const isExtended = separator === 0x2d || separator === 0x2f;
  const width = isExtended ? 10 : 8;
  if (end - start < width + 6) return Number.NaN;
  if (isExtended && bytes[start + 7] !== separator) return Number.NaN;
  const date = isExtended
    ? dateMs(digits(bytes, start, 4), digits(bytes, start + 5, 2), digits(bytes, start + 8, 2))
    : dateMs(digits(bytes, start, 4), digits(bytes, start + 4, 2), digits(bytes, start + 6, 2));
  if (Number.isNaN(date)) return Number.NaN;
  let p = start + width;
  if (isDigit(bytes[p])) return isExtended ? Number.NaN : parseCompact(bytes, p, end, date);
  p++;
  const between = (bytes[p - 1] as number) | 0x20;
  if (between !== 0x74 && between !== 0x20 && bytes[p - 1] !== 0x5f && bytes[p - 1] !== 0x3a)
    return Number.NaN;
  while (p < end && bytes[p] === 0x20) p++;
  return parseTime(bytes, p, end, date);
}

/** `20231114221320` and `20231114221320123` are dates, not numbers: exactly 14 or 17 digits. */
function parseCompact(bytes: Uint8Array, at: number, end: number, date: number): number {
  const count = end - at;
  if (count !== 6 && count !== 9) return Number.NaN;
  const millisecond = count === 9 ? digits(bytes, at + 6, 3) : 0;
  return date + timeMs(digits(bytes, at, 2), digits(bytes, at + 2, 2), digits(bytes, at + 4, 2), millisecond);
}

function parseTime(bytes: Uint8Array, at: number, end: number, date: number): number {
  if (end - at < 5) return Number.NaN;
  const gap = bytes[at + 2] === 0x3a ? 1 : 0;
  const hour = digits(bytes, at, 2);
  const minute = digits(bytes, at + 2 + gap, 2);
  let p = at + 4 + gap;
  let second = 0;
  if (gap === 0 ? isDigit(bytes[p]) && p + 2 <= end : bytes[p] === 0x3a && p + 3 <= end) {
    second = digits(bytes, p + gap, 2);
    p += 2 + gap;
  }
  let millisecond = 0;
  if (p < end && (bytes[p] === 0x2e || bytes[p] === 0x2c)) {
    p++;
    if (!isDigit(bytes[p])) return Number.NaN;
    for (let unit = 100; p < end && isDigit(bytes[p]); p++, unit /= 10) {
      if (unit >= 1) millisecond += ((bytes[p] as number) - 0x30) * unit;
    }
  }
  return date + timeMs(hour, minute, second, millisecond) - zoneOffsetMs(bytes, p, end);
}

/** Offset of the zone text at `at`, which must reach to `end`; NaN when it is no zone. */
function zoneOffsetMs(bytes: Uint8Array, at: number, end: number): number {
  let p = at;
  while (p < end && bytes[p] === 0x20) p++;
  if (p === end) return 0;
  const sign = bytes[p] as number;
  if (sign === 0x5a || sign === 0x7a) return isIsoRemainder(bytes, p + 1, end) ? 0 : Number.NaN;
  if (sign !== 0x2b && sign !== 0x2d) {
    return /^(UTC|GMT|Etc\/UTC)$/i.test(latin1(bytes, p, end)) ? 0 : Number.NaN;
  }
  const hours = end - p >= 3 ? digits(bytes, p + 1, 2) : Number.NaN;
  p += 3;
  let minutes = 0;
  const gap = bytes[p] === 0x3a ? 1 : 0;
  if (p + gap + 2 <= end && isDigit(bytes[p + gap])) {
    minutes = digits(bytes, p + gap, 2);
    p += gap + 2;
  }
  if (hours > 18 || minutes > 59 || !isIsoRemainder(bytes, p, end)) return Number.NaN;
  return (hours * 60 + minutes) * MINUTE_MS * (sign === 0x2d ? -1 : 1);
}

function isIsoRemainder(bytes: Uint8Array, at: number, end: number): boolean {
  return at === end || ISO_REMAINDER.test(latin1(bytes, at, end));
}

function parseNamedForms(text: string): number {
  const protobuf = PROTOBUF.exec(text);
  if (protobuf !== null) return Number(protobuf[1]) * 1000 + Math.floor(Number(protobuf[2] ?? 0) / 1e6);
  const dotnet = DOTNET_DATE.exec(text);
  if (dotnet !== null) return Number(dotnet[1]);
  let match = DAY_FIRST.exec(text);
  if (match !== null) {
    const [, day, month, year, ...time] = match;
    return ofParts(year, month, day, time);
  }
  match = YEAR_LAST.exec(text);
  if (match !== null) {
    const [, month, day, ...rest] = match;
    return ofParts(rest[5], month, day, rest);
  }
  match = MONTH_FIRST.exec(text);
  if (match === null) return Number.NaN;
  const [, month, day, year, ...time] = match;
  return ofParts(year, month, day, time);
}

type Part = string | undefined;

/** `time` is hour, minute, second, fraction, zone. */
function ofParts(year: Part, month: Part, day: Part, time: readonly Part[]): number {
  const [hour, minute, second, fraction, zone] = time;
  const fullYear = year?.length === 2 ? 2000 + Number(year) : Number(year);
  const date = dateMs(fullYear, MONTHS.indexOf((month ?? '').toLowerCase()) + 1, Number(day));
  const millisecond = Math.floor(Number(`0.${fraction ?? 0}`) * 1000);
  return date + timeMs(Number(hour), Number(minute), Number(second), millisecond) - namedOffsetMs(zone);
}

function namedOffsetMs(zone: Part): number {
  const offset = /([+-])(\d{2}):?(\d{2})$/.exec(zone ?? '');
  if (offset === null) return 0;
  const minutes = Number(offset[2]) * 60 + Number(offset[3]);
  return minutes * MINUTE_MS * (offset[1] === '-' ? -1 : 1);
}
