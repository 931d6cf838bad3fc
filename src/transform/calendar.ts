/**
 * Calendar days and times of day as numbers and ASCII digits, with the last day remembered in both
 * directions because neighbouring records share it.
 */
import { ByteText } from './byte-text.ts';

const DAY_MS = 86_400_000;
const DAYS_BEFORE_MONTH = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
const DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function isLeapYear(year: number): boolean {
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
}

/** The last millisecond of the year 9999, beyond which our form has no digits. */
export const LATEST_MS = 253_402_300_799_999;

/** Milliseconds since the epoch at midnight UTC of a date from 1970 on; NaN when there is no such date. */
export function dateMs(year: number, month: number, day: number): number {
  if (year < 1970 || year > 9999 || month < 1 || month > 12 || day < 1) return Number.NaN;
  const leapDay = month === 2 && isLeapYear(year) ? 1 : 0;
  if (day > (DAYS_IN_MONTH[month - 1] as number) + leapDay) return Number.NaN;
  const before = year - 1;
  const leapDays = Math.floor(before / 4) - Math.floor(before / 100) + Math.floor(before / 400) - 477;
  const passedLeapDay = month > 2 && isLeapYear(year) ? 1 : 0;
  const days =
    (year - 1970) * 365 + leapDays + (DAYS_BEFORE_MONTH[month - 1] as number) + passedLeapDay + day - 1;
  return days * DAY_MS;
}

/** Milliseconds of a time of day; a leap second counts as the last millisecond before it; NaN if impossible. */
export function timeMs(hour: number, minute: number, second: number, millisecond: number): number {
  if (hour > 23 || minute > 59 || second > 60) return Number.NaN;
  const isLeapSecond = second === 60;
  return (
    ((hour * 60 + minute) * 60 + (isLeapSecond ? 59 : second)) * 1000 + (isLeapSecond ? 999 : millisecond)
  );
}

/** The value of `count` ASCII digits, or NaN when one is no digit. */
export function digits(bytes: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let i = at; i < at + count; i++) {
    const digit = (bytes[i] as number) - 0x30;
    if (!(digit >= 0 && digit <= 9)) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}

function putDigits(target: Uint8Array, at: number, count: number, value: number): void {
  let rest = value;
  for (let i = at + count - 1; i >= at; i--) {
    target[i] = 0x30 + (rest % 10);
    rest = (rest / 10) | 0;
  }
}

/** Length of `2026-11-23T09:00:00.123Z`. */
export const CANONICAL_LENGTH = 24;

export class Calendar {
  readonly #readDate = new Uint8Array(10);
  #readMs = Number.NaN;
  readonly #text = new ByteText(new Uint8Array(CANONICAL_LENGTH));
  #textDay = -1;

  /**
   * Reads `YYYY-MM-DDTHH:MM:SS.mmmZ` at `at`, where 24 bytes must be present. NaN when the text is in any
   * other form, names an impossible instant or a leap second (whose text must not pass unchanged).
   */
  readCanonical(bytes: Uint8Array, at: number): number {
    if (bytes[at + 23] !== 0x5a || bytes[at + 10] !== 0x54 || bytes[at + 19] !== 0x2e) return Number.NaN;
    if (bytes[at + 13] !== 0x3a || bytes[at + 16] !== 0x3a) return Number.NaN;
    const second = digits(bytes, at + 17, 2);
    const ofDay = timeMs(
      digits(bytes, at + 11, 2),
      digits(bytes, at + 14, 2),
      second,
      digits(bytes, at + 20, 3),
    );
    return second < 60 ? this.#readDay(bytes, at) + ofDay : Number.NaN;
  }

  #readDay(bytes: Uint8Array, at: number): number {
    const known = this.#readDate;
    let i = 9;
    while (i >= 0 && bytes[at + i] === known[i]) i--;
    if (i < 0) return this.#readMs;
    if (bytes[at + 4] !== 0x2d || bytes[at + 7] !== 0x2d) return Number.NaN;
    const ms = dateMs(digits(bytes, at, 4), digits(bytes, at + 5, 2), digits(bytes, at + 8, 2));
    if (!Number.isNaN(ms)) {
      this.#readMs = ms;
      known.set(bytes.subarray(at, at + 10));
    }
    return ms;
  }

  /** The canonical text of an instant from 1970 to 9999; the bytes are reused by the next call. */
  format(ms: number): ByteText {
    const text = this.#text.bytes;
    const day = Math.floor(ms / DAY_MS);
    if (day !== this.#textDay) {
      text.set(Buffer.from(new Date(ms).toISOString(), 'latin1'));
      this.#textDay = day;
    }
    const ofDay = ms - day * DAY_MS;
    putDigits(text, 11, 2, Math.floor(ofDay / 3_600_000));
    putDigits(text, 14, 2, Math.floor(ofDay / 60_000) % 60);
    putDigits(text, 17, 2, Math.floor(ofDay / 1000) % 60);
    putDigits(text, 20, 3, ofDay % 1000);
    return this.#text;
  }
}
