/** Chooses the instant of a record among its candidates. */
import { CANONICAL_LENGTH, type Calendar } from './calendar.ts';
import type { Candidates } from './candidates.ts';
import { TIMESTAMP_FORM } from './fields/timestamp-names.ts';
import { KIND } from './json-bytes.ts';
import { scalarText } from './json-cursor.ts';
import { parseTimestampValue } from './timestamp-value.ts';

export class TimestampResolver {
  /** Milliseconds since the epoch; NaN when no candidate is readable. */
  ms = Number.NaN;
  /** The member that holds exactly our own form of the instant; else -1. */
  member = -1;
  readonly #calendar: Calendar;

  constructor(calendar: Calendar) {
    this.#calendar = calendar;
  }

  /** Reads the best readable candidate. */
  resolve(bytes: Uint8Array, candidates: Candidates): void {
    this.ms = Number.NaN;
    this.member = -1;
    let slot = candidates.best(-1);
    while (slot >= 0) {
      const start = candidates.start[slot] as number;
      const end = candidates.end[slot] as number;
      const kind = candidates.kind[slot] as number;
      if (kind === KIND.string && end - start === CANONICAL_LENGTH + 2) {
        this.ms = this.#calendar.readCanonical(bytes, start + 1);
        if (!Number.isNaN(this.ms)) {
          this.member = candidates.member[slot] as number;
          return;
        }
      }
      const form = candidates.variant[slot] as number;
      if (mayCount(form, kind)) this.ms = parseTimestampValue(bytes, start, end, kind);
      if (form === TIMESTAMP_FORM.seconds) this.ms += millisecondOfSecond(bytes, candidates);
      if (!Number.isNaN(this.ms)) return;
      slot = candidates.best(candidates.rank[slot] as number);
    }
  }
}

function mayCount(form: number, kind: number): boolean {
  if (form === TIMESTAMP_FORM.text) return kind === KIND.string;
  return form !== TIMESTAMP_FORM.nanosOfSecond;
}

/** The milliseconds in the candidate that holds the nanoseconds of the second; 0 without one. */
function millisecondOfSecond(bytes: Uint8Array, candidates: Candidates): number {
  for (let slot = 0; slot < candidates.count; slot++) {
    if (candidates.variant[slot] !== TIMESTAMP_FORM.nanosOfSecond) continue;
    const start = candidates.start[slot] as number;
    const end = candidates.end[slot] as number;
    const text = scalarText(bytes, start, end, candidates.kind[slot] as number) ?? '';
    if (/^\d{1,9}$/.test(text)) return Math.floor(Number(text) / 1e6);
  }
  return 0;
}
