/**
 * Instants written as a number since the epoch, by exact arithmetic on the digits: a float would turn
 * 1709251199.9999 into the next millisecond, and 19 digits of nanoseconds do not fit one.
 *
 * The unit follows from the number of integer digits: to 11 seconds, to 14 milliseconds, to 17
 * microseconds, to 20 nanoseconds (so seconds reach the year 5138). Below 100,000,000 seconds (1973) a
 * number is taken for a duration or a counter and rejected; so are negative ones.
 */
import { LATEST_MS } from './calendar.ts';

const LEAST_SECOND_DIGITS = 9;
/** More digits than any float is printed with. */
const MAX_FLOAT_TEXT_BYTES = 40;

/** Milliseconds since the epoch of the decimal number at `start`..`end`, rounded down; NaN if it is none. */
export function parseEpoch(bytes: Uint8Array, start: number, end: number): number {
  let p = start;
  while (p < end && bytes[p] === 0x30) p++;
  const first = p;
  while (p < end && isDigit(bytes[p] as number)) p++;
  const count = p - first;
  if (count < LEAST_SECOND_DIGITS || count > 20) return parseExponent(bytes, start, end);
  const kept = count <= 11 ? count : count <= 14 ? count : count <= 17 ? count - 3 : count - 6;
  let value = 0;
  for (let i = first; i < first + kept; i++) value = value * 10 + ((bytes[i] as number) - 0x30);
  const isSeconds = count <= 11;
  if (isSeconds) value *= 1000;
  if (p === end) return value <= LATEST_MS ? value : Number.NaN;
  if (bytes[p] !== 0x2e && bytes[p] !== 0x2c) return parseExponent(bytes, start, end);
  const fraction = p + 1;
  p = fraction;
  while (p < end && isDigit(bytes[p] as number)) p++;
  if (p === fraction || p < end) return parseExponent(bytes, start, end);
  if (isSeconds) {
    for (let i = 0, unit = 100; i < 3 && fraction + i < end; i++, unit /= 10) {
      value += ((bytes[fraction + i] as number) - 0x30) * unit;
    }
  }
  return value <= LATEST_MS ? value : Number.NaN;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

/** Numbers in scientific notation, which only floats are printed in; NaN for anything else. */
function parseExponent(bytes: Uint8Array, start: number, end: number): number {
  if (end - start > MAX_FLOAT_TEXT_BYTES) return Number.NaN;
  const text = Buffer.from(bytes.subarray(start, end)).toString('latin1');
  if (!/^\d+(\.\d+)?[eE][+-]?\d+$/.test(text)) return Number.NaN;
  return epochOfNumber(Number(text));
}

function epochOfNumber(value: number): number {
  if (!(value >= 1e8 && value < 1e20)) return Number.NaN;
  if (value < 1e11) return Math.floor(value * 1000);
  if (value < 1e14) return Math.floor(value);
  return Math.floor(value < 1e17 ? value / 1000 : value / 1e6);
}
