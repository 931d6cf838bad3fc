/** Chooses the severity of a record among its candidates. */
import { LEVEL_RANK } from '../core/level.ts';
import type { Candidates } from './candidates.ts';
import { ROLE } from './fields/field-rule.ts';
import { LEVEL_SCALE } from './fields/level-names.ts';
import { KIND } from './json-bytes.ts';
import { TRAIT } from './key-table.ts';
import { levelOfNumber, NO_LEVEL, readLevel } from './level-value.ts';
import type { RecordFields } from './record-fields.ts';

/** Digits of the shortest epoch in milliseconds. */
const MILLISECOND_DIGITS = 12;
const CONSOLA = TRAIT.args | TRAIT.tag;

/**
 * Rank of the canonical level name (any case) that is the whole content `start`..`end`, or NO_LEVEL:
 * the fast path of `levelOfName`.
 */
function canonicalLevel(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  if (length !== 4 && length !== 5) return NO_LEVEL;
  const word =
    ((bytes[start] as number) << 24) |
    ((bytes[start + 1] as number) << 16) |
    ((bytes[start + 2] as number) << 8) |
    (bytes[start + 3] as number) |
    0x20202020;
  if (length === 4)
    return word === 0x696e666f ? LEVEL_RANK.INFO : word === 0x7761726e ? LEVEL_RANK.WARN : NO_LEVEL;
  const last = (bytes[start + 4] as number) | 0x20;
  if (word === 0x6572726f && last === 0x72) return LEVEL_RANK.ERROR;
  if (word === 0x64656275 && last === 0x67) return LEVEL_RANK.DEBUG;
  if (word === 0x74726163 && last === 0x65) return LEVEL_RANK.TRACE;
  return word === 0x66617461 && last === 0x6c ? LEVEL_RANK.FATAL : NO_LEVEL;
}

function isUpperCase(bytes: Uint8Array, start: number, end: number): boolean {
  let p = start;
  while (p < end && ((bytes[p] as number) & 0x20) === 0) p++;
  return p === end;
}

export class LevelResolver {
  /** Rank of the level, NO_LEVEL when the record names none that we know. */
  rank = NO_LEVEL;
  /** The member that holds a canonical name in any case, so that nothing is lost without it; else -1. */
  member = -1;
  /** Whether that member holds the name in upper case, as in our own lines. */
  isExact = false;

  /** Reads the level of the record whose members are in `fields`. */
  resolve(bytes: Uint8Array, fields: RecordFields): void {
    const candidates = fields.candidates[ROLE.level] as Candidates;
    this.rank = NO_LEVEL;
    this.member = -1;
    const slot = candidates.best(-1);
    if (slot < 0) {
      this.rank = impliedLevel(bytes, fields);
      return;
    }
    const start = candidates.start[slot] as number;
    const end = candidates.end[slot] as number;
    if (candidates.kind[slot] === KIND.string) {
      this.rank = canonicalLevel(bytes, start + 1, end - 1);
      if (this.rank !== NO_LEVEL) {
        this.member = candidates.member[slot] as number;
        this.isExact = isUpperCase(bytes, start + 1, end - 1);
        return;
      }
    } else if (candidates.count === 1 && candidates.kind[slot] === KIND.number && end - start <= 2) {
      this.rank = levelOfShortNumber(bytes, start, end, scaleOf(candidates, slot, fields));
      if (this.rank !== NO_LEVEL) return;
    }
    this.#readAll(bytes, fields, candidates);
  }

  /** The best name wins; without one, the best number. */
  #readAll(bytes: Uint8Array, fields: RecordFields, candidates: Candidates): void {
    let ofNumber = NO_LEVEL;
    let slot = candidates.best(-1);
    while (slot >= 0) {
      const start = candidates.start[slot] as number;
      const end = candidates.end[slot] as number;
      const kind = candidates.kind[slot] as number;
      const reading = readLevel(bytes, start, end, kind, scaleOf(candidates, slot, fields));
      if (reading.rank !== NO_LEVEL) {
        if (reading.byName) {
          this.rank = reading.rank;
          return;
        }
        if (ofNumber === NO_LEVEL) ofNumber = reading.rank;
      }
      slot = candidates.best(candidates.rank[slot] as number);
    }
    this.rank = ofNumber;
  }
}

function levelOfShortNumber(bytes: Uint8Array, start: number, end: number, scale: number): number {
  let value = 0;
  for (let i = start; i < end; i++) {
    if (bytes[i] === 0x2d) return NO_LEVEL;
    value = value * 10 + ((bytes[i] as number) - 0x30);
  }
  return levelOfNumber(value, scale);
}

/**
 * OpenTelemetry's Go exporter calls its number `Severity`, beside a `SeverityText`. consola counts the
 * other way round, and writes `args` and `tag` beside its `level`.
 */
function scaleOf(candidates: Candidates, slot: number, fields: RecordFields): number {
  const scale = candidates.variant[slot] as number;
  const isTelemetry = scale === LEVEL_SCALE.severity && (fields.traits & TRAIT.severityText) !== 0;
  if (isTelemetry) return LEVEL_SCALE.openTelemetry;
  const isConsola = scale === LEVEL_SCALE.common && (fields.traits & CONSOLA) === CONSOLA;
  return isConsola ? LEVEL_SCALE.consola : scale;
}

/** The level that some formats mean by writing none: Serilog's compact one leaves Information out. */
function impliedLevel(bytes: Uint8Array, fields: RecordFields): number {
  return (fields.traits & TRAIT.compactTime) !== 0 ? LEVEL_RANK.INFO : klogLevel(bytes, fields);
}

/**
 * Kubernetes' klog writes no level: `v` is the verbosity of information, and errors lack it. Its records
 * are told by `caller` beside a numeric time in milliseconds.
 */
function klogLevel(bytes: Uint8Array, fields: RecordFields): number {
  if ((fields.traits & TRAIT.caller) === 0) return NO_LEVEL;
  const times = fields.candidates[ROLE.timestamp] as Candidates;
  const slot = times.best(-1);
  const isMilliseconds =
    slot >= 0 &&
    times.kind[slot] === KIND.number &&
    (times.end[slot] as number) - (times.start[slot] as number) >= MILLISECOND_DIGITS &&
    !bytes.subarray(times.start[slot], (times.start[slot] as number) + MILLISECOND_DIGITS).includes(0x2e);
  if (!isMilliseconds) return NO_LEVEL;
  if ((fields.traits & TRAIT.verbosity) === 0) return LEVEL_RANK.ERROR;
  const verbosity =
    fields.verbosityEnd - fields.verbosityStart === 1 ? (bytes[fields.verbosityStart] as number) - 0x30 : 9;
  if (verbosity < 4) return LEVEL_RANK.INFO;
  return verbosity < 6 ? LEVEL_RANK.DEBUG : LEVEL_RANK.TRACE;
}
