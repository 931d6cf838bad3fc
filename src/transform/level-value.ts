/** The severity in the value of a level field: names of all libraries, and numbers by scale. */
import { LEVEL_RANK } from '../core/level.ts';
import { LEVEL_SCALE } from './fields/level-names.ts';
import { KIND } from './json-bytes.ts';
import { JsonCursor, scalarText } from './json-cursor.ts';

/** No severity that we know. */
export const NO_LEVEL = -1;

const { TRACE, DEBUG, INFO, WARN, ERROR, FATAL } = LEVEL_RANK;

const NAMES_BY_RANK: readonly (readonly [rank: number, names: string])[] = [
  [TRACE, 'trace trce trac trc verbose verb vrb silly finest spam t v'],
  [DEBUG, 'debug dbug debg dbg deb fine finer d'],
  [INFO, 'info information informational inf notice note ntc http config log success system i n'],
  [WARN, 'warn warning wrn wrng w'],
  [ERROR, 'error err eror erro severe fail failure e'],
  [FATAL, 'fatal critical crit crt alert alrt emergency emerg emrg panic dpanic ftl fatl f c p'],
];

const RANK_OF_NAME = new Map<string, number>();
for (const [rank, names] of NAMES_BY_RANK) {
  for (const name of names.split(' ')) RANK_OF_NAME.set(name, rank);
}
/** OpenTelemetry's short names and PostgreSQL's and MongoDB's debug levels. */
for (const [rank, name] of ['trace', 'debug', 'info', 'warn', 'error', 'fatal'].entries()) {
  for (const step of [2, 3, 4]) RANK_OF_NAME.set(`${name}${step}`, rank);
}
for (const step of [1, 2, 3, 4, 5]) {
  RANK_OF_NAME.set(`debug${step}`, DEBUG);
  RANK_OF_NAME.set(`d${step}`, DEBUG);
}

/** Go's log/slog prints levels between the named ones as name and distance; its thresholds. */
const SLOG = /^(debug|info|warn|error)([+-]\d{1,6})$/;
const SLOG_BASE: Readonly<Record<string, number>> = { debug: -4, info: 0, warn: 4, error: 8 };
const SLOG_THRESHOLDS: readonly (readonly [least: number, rank: number])[] = [
  [12, FATAL],
  [8, ERROR],
  [4, WARN],
  [0, INFO],
  [-4, DEBUG],
  [-Infinity, TRACE],
];

const SYSLOG = [FATAL, FATAL, FATAL, ERROR, WARN, INFO, INFO, DEBUG];
const TSLOG = [TRACE, TRACE, DEBUG, INFO, WARN, ERROR, FATAL];
const AZURE = [TRACE, INFO, WARN, ERROR, FATAL];
/** Levels 2 and 3 are log and info; level 0 does not tell fatal from error. */
const CONSOLA = [ERROR, WARN, INFO, INFO, DEBUG, TRACE];
const MYSQL = [INFO, ERROR, WARN, INFO];
/** java.util.logging where it does not collide with Monolog. */
const JAVA = new Map([
  [700, INFO],
  [800, INFO],
  [900, WARN],
  [1000, ERROR],
]);

const ANSI_COLOUR = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');

/** Rank of a level name in any case, or NO_LEVEL. */
export function levelOfName(text: string): number {
  const known = RANK_OF_NAME.get(text.toLowerCase());
  if (known !== undefined) return known;
  const name = text
    .replace(ANSI_COLOUR, '')
    .trim()
    .replace(/^[[<(](.*)[\])>]$/, '$1')
    .trim()
    .toLowerCase();
  const slog = SLOG.exec(name);
  if (slog === null) return RANK_OF_NAME.get(name) ?? NO_LEVEL;
  const value = (SLOG_BASE[slog[1] ?? ''] ?? 0) + Number(slog[2]);
  return SLOG_THRESHOLDS.find(([least]) => value >= least)?.[1] ?? NO_LEVEL;
}

function openTelemetry(value: number): number {
  return value >= 1 && value <= 24 ? Math.floor((value - 1) / 4) : NO_LEVEL;
}

/** By tens as in pino and bunyan; custom levels between count as the one below, and those above as fatal. */
function byTens(value: number): number {
  return value >= 8 && value < 100 ? Math.min(Math.max(0, Math.floor(value / 10) - 1), FATAL) : NO_LEVEL;
}

function python(value: number): number {
  return value >= 0 && value < 60 ? Math.min(Math.floor(value / 10), FATAL) : NO_LEVEL;
}

function monolog(value: number): number {
  if (value >= 500) return FATAL;
  return value < 200 ? DEBUG : value < 300 ? INFO : value < 400 ? WARN : ERROR;
}

/** Logback and log4j: 5000 TRACE, 10000 DEBUG, 20000 INFO, 30000 WARN, 40000 ERROR, 50000 FATAL. */
function log4j(value: number): number {
  return value <= 50_000 ? Math.floor(value / 10_000) : NO_LEVEL;
}

function common(value: number): number {
  if (value < 0) return value >= -4 ? DEBUG : TRACE;
  if (value < 8) return SYSLOG[value] ?? NO_LEVEL;
  if (value < 100) return byTens(value);
  if (value >= 5000) return log4j(value);
  return JAVA.get(value) ?? (value <= 600 ? monolog(value) : NO_LEVEL);
}

/** Google Cloud's LogSeverity counts by hundreds, 0 being "default". */
function severity(value: number): number {
  if (value < 8) return SYSLOG[value] ?? NO_LEVEL;
  if (value <= 24) return openTelemetry(value);
  if (value < 100 || value > 800) return byTens(value);
  return value < 400 ? (value < 200 ? DEBUG : INFO) : Math.min(Math.floor(value / 100) - 1, FATAL);
}

/** Rank of a number on one of LEVEL_SCALE, or NO_LEVEL. */
export function levelOfNumber(value: number, scale: number): number {
  switch (scale) {
    case LEVEL_SCALE.common:
      return common(value);
    case LEVEL_SCALE.severity:
      return severity(value);
    case LEVEL_SCALE.openTelemetry:
      return openTelemetry(value);
    case LEVEL_SCALE.python:
      return python(value);
    case LEVEL_SCALE.syslogPriority:
      return value >= 0 && value < 192 ? (SYSLOG[value % 8] ?? NO_LEVEL) : NO_LEVEL;
    case LEVEL_SCALE.tslog:
      return TSLOG[value] ?? NO_LEVEL;
    case LEVEL_SCALE.azure:
      return AZURE[value] ?? NO_LEVEL;
    case LEVEL_SCALE.mysql:
      return MYSQL[value] ?? NO_LEVEL;
    case LEVEL_SCALE.consola:
      return CONSOLA[value] ?? NO_LEVEL;
    case LEVEL_SCALE.syslog:
      return SYSLOG[value] ?? NO_LEVEL;
    default:
      return NO_LEVEL;
  }
}

/** What a level field said: a rank, and whether by name (a name counts more than a number). */
interface LevelReading {
  readonly rank: number;
  readonly byName: boolean;
}

const UNREADABLE_LEVEL: LevelReading = { rank: NO_LEVEL, byName: false };

/** Reads the value of a level field of any kind; objects hold `name` or `levelStr` beside a number. */
export function readLevel(
  bytes: Uint8Array,
  start: number,
  end: number,
  kind: number,
  scale: number,
): LevelReading {
  if (kind === KIND.object) return readLevelObject(bytes, start, end);
  if (end - start > 64) return UNREADABLE_LEVEL;
  const text = scalarText(bytes, start, end, kind);
  if (text === null) return UNREADABLE_LEVEL;
  if (/^-?\d{1,6}(\.0+)?$/.test(text)) return { rank: levelOfNumber(Number(text), scale), byName: false };
  return kind === KIND.string ? { rank: levelOfName(text), byName: true } : UNREADABLE_LEVEL;
}

function readLevelObject(bytes: Uint8Array, start: number, end: number): LevelReading {
  const cursor = new JsonCursor(bytes, start, end);
  let found = UNREADABLE_LEVEL;
  while (cursor.next()) {
    if (cursor.kind !== KIND.string && cursor.kind !== KIND.number) continue;
    const key = cursor.key().toLowerCase();
    const isName = key === 'name' || key === 'levelstr' || key === 'text' || key === 'label';
    const isNumber = key === 'no' || key === 'level' || key === 'value';
    if (!isName && !isNumber) continue;
    const scale = key === 'no' ? LEVEL_SCALE.python : LEVEL_SCALE.common;
    const reading = readLevel(bytes, cursor.valueStart, cursor.valueEnd, cursor.kind, scale);
    if (isName && reading.rank === NO_LEVEL) return UNREADABLE_LEVEL;
    if (isName || found.rank === NO_LEVEL) found = reading;
    if (isName) return found;
  }
  return found;
}
