/**
 * Sizes and durations as people write them: `64MiB`, `1.5GiB`, `250ms`, `1d`.
 *
 * Sizes are binary only. "MB" means 10^6 to some and 2^20 to others, so it is not accepted.
 */

const BYTE_UNITS = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, TiB: 1024 ** 4 } as const;

const DURATION_UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** What `parseBytes` accepts, also used as the pattern of the JSON Schema. */
export const BYTES_PATTERN = /^\d+(\.\d+)? ?(B|KiB|MiB|GiB|TiB)$/;

/** What `parseDuration` accepts, also used as the pattern of the JSON Schema. */
export const DURATION_PATTERN = /^\d+(\.\d+)? ?(ms|s|m|h|d)$/;

/** Bytes in a size such as `64MiB`, rounded to whole bytes; undefined when it is not one. */
export function parseBytes(text: string): number | undefined {
  return parseAmount(text, BYTES_PATTERN, BYTE_UNITS);
}

/** Milliseconds in a duration such as `30s`, rounded to whole milliseconds; undefined when it is not one. */
export function parseDuration(text: string): number | undefined {
  return parseAmount(text, DURATION_PATTERN, DURATION_UNITS);
}

/** The shortest exact text of a whole number of bytes: 104857600 is `100MiB`. */
export function formatBytes(bytes: number): string {
  return formatAmount(bytes, BYTE_UNITS);
}

/** The shortest exact text of a whole number of milliseconds: 90000 is `90s`, 60000 is `1m`. */
export function formatDuration(milliseconds: number): string {
  return formatAmount(milliseconds, DURATION_UNITS);
}

type Units = Readonly<Record<string, number>>;

function parseAmount(text: string, pattern: RegExp, units: Units): number | undefined {
  const unit = pattern.exec(text)?.[2];
  const factor = unit === undefined ? undefined : units[unit];
  if (factor === undefined) return undefined;
  const amount = Math.round(Number.parseFloat(text) * factor);
  return Number.isSafeInteger(amount) ? amount : undefined;
}

/** Units stand in ascending order, so the last one that divides the amount is the largest. */
function formatAmount(amount: number, units: Units): string {
  const fitting = Object.entries(units).filter(([, factor]) => amount !== 0 && amount % factor === 0);
  const [unit, factor] = fitting.at(-1) ?? Object.entries(units)[0] ?? ['', 1];
  return `${amount / factor}${unit}`;
}
