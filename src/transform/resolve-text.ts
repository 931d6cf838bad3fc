/** Chooses the texts of a record (service, message, ids) among their candidates. */
import type { Candidates } from './candidates.ts';
import { ROLE } from './fields/field-rule.ts';
import { ID_FORM } from './fields/id-names.ts';
import { LEVEL_SCALE } from './fields/level-names.ts';
import { MESSAGE_FORM } from './fields/message-names.ts';
import { SERVICE_FORM } from './fields/service-names.ts';
import { KIND, textOf } from './json-bytes.ts';
import { JsonCursor } from './json-cursor.ts';
import { TRAIT } from './key-table.ts';
import type { RecordFields } from './record-fields.ts';
import type { SourceSpan } from './source-span.ts';

const DASH = 0x2d;
const ZERO = 0x30;
const SMALL_X = 0x78;
/** `-`, `:` and `/`. */
const ID_PART_ENDS = [DASH, 0x3a, 0x2f];

/** Names, in lower case, under which an object holds the text of a message. */
const INNER_MESSAGES = new Set([
  'message',
  'msg',
  'stringvalue',
  'value',
  'errormessage',
  'error_message',
  'formatted',
]);

/** The best candidate that is a service name. A lone `-` is how access logs print nothing. */
export function resolveService(bytes: Uint8Array, fields: RecordFields, span: SourceSpan): void {
  const candidates = fields.candidates[ROLE.service] as Candidates;
  span.clear();
  for (let slot = candidates.best(-1); slot >= 0; slot = candidates.best(candidates.rank[slot] as number)) {
    if (candidates.kind[slot] !== KIND.string) continue;
    const start = (candidates.start[slot] as number) + 1;
    const end = (candidates.end[slot] as number) - 1;
    if (isDash(bytes, start, end)) continue;
    const form = candidates.variant[slot];
    if (form === SERVICE_FORM.word && end - start < 2) continue;
    if (form === SERVICE_FORM.loggerOfPino && !isPino(bytes, fields)) continue;
    const nameEnd = form === SERVICE_FORM.syslogTag ? programEnd(bytes, start, end) : end;
    if (nameEnd === start) continue;
    span.set(start, nameEnd, nameEnd === end ? (candidates.member[slot] as number) : -1);
    return;
  }
}

function isDash(bytes: Uint8Array, start: number, end: number): boolean {
  return end - start === 1 && bytes[start] === DASH;
}

/** pino and bunyan write host and process beside the name, or at least a level by tens. */
function isPino(bytes: Uint8Array, fields: RecordFields): boolean {
  const process = TRAIT.hostname | TRAIT.pid;
  if ((fields.traits & process) === process) return true;
  const levels = fields.candidates[ROLE.level] as Candidates;
  const times = fields.candidates[ROLE.timestamp] as Candidates;
  const level = levels.best(-1);
  const time = times.best(-1);
  if (level < 0 || time < 0 || levels.count > 1 || times.kind[time] !== KIND.number) return false;
  if (levels.variant[level] !== LEVEL_SCALE.common) return false;
  const start = levels.start[level] as number;
  return levels.kind[level] === KIND.number && levels.end[level] === start + 2 && bytes[start + 1] === ZERO;
}

function programEnd(bytes: Uint8Array, start: number, end: number): number {
  let p = start;
  while (p < end && bytes[p] !== 0x5b && bytes[p] !== 0x3a) p++;
  return p;
}

/** The best candidate that holds a text for people. */
export function resolveMessage(bytes: Uint8Array, candidates: Candidates, span: SourceSpan): void {
  span.clear();
  for (let slot = candidates.best(-1); slot >= 0; slot = candidates.best(candidates.rank[slot] as number)) {
    const start = candidates.start[slot] as number;
    const end = candidates.end[slot] as number;
    const kind = candidates.kind[slot] as number;
    const form = candidates.variant[slot] as number;
    if (kind === KIND.string && form !== MESSAGE_FORM.arguments) {
      span.set(start + 1, end - 1, candidates.member[slot] as number);
    } else if (kind === KIND.number && form < MESSAGE_FORM.arguments) {
      span.set(start, end, -1);
    } else if (kind === KIND.object && form === MESSAGE_FORM.structured) {
      findInnerMessage(bytes, start, end, span);
    } else if (kind === KIND.array && (form === MESSAGE_FORM.structured || form === MESSAGE_FORM.arguments)) {
      findFirstArgument(bytes, start, end, span);
    }
    if (span.isPresent) return;
  }
}

function findInnerMessage(bytes: Uint8Array, start: number, end: number, span: SourceSpan): void {
  const cursor = new JsonCursor(bytes, start, end);
  while (cursor.next()) {
    const isText = cursor.kind === KIND.string && cursor.valueEnd - cursor.valueStart > 2;
    if (isText && INNER_MESSAGES.has(cursor.key().toLowerCase())) {
      span.set(cursor.valueStart + 1, cursor.valueEnd - 1, -1);
      return;
    }
  }
}

function findFirstArgument(bytes: Uint8Array, start: number, end: number, span: SourceSpan): void {
  const cursor = new JsonCursor(bytes, start, end);
  const isText = cursor.next() && cursor.kind === KIND.string && cursor.valueEnd - cursor.valueStart > 2;
  if (isText) span.set(cursor.valueStart + 1, cursor.valueEnd - 1, -1);
}

/** The best candidate that is an id: a string or a number, not all zeros, not a lone `-`. */
export function resolveId(bytes: Uint8Array, candidates: Candidates, span: SourceSpan): void {
  span.clear();
  if (candidates.count === 0) return;
  for (let slot = candidates.best(-1); slot >= 0; slot = candidates.best(candidates.rank[slot] as number)) {
    const start = candidates.start[slot] as number;
    const end = candidates.end[slot] as number;
    const kind = candidates.kind[slot];
    if (kind === KIND.string) {
      setIdPart(bytes, start + 1, end - 1, candidates.variant[slot] as number, span);
    } else if (kind === KIND.number) {
      setIdPart(bytes, start, end, ID_FORM.plain, span);
    }
    if (!span.isPresent) continue;
    const isWhole = kind === KIND.string && candidates.variant[slot] === ID_FORM.plain;
    if (isWhole) span.member = candidates.member[slot] as number;
    return;
  }
}

function setIdPart(bytes: Uint8Array, start: number, end: number, form: number, span: SourceSpan): void {
  let from = start;
  let to = end;
  if (form === ID_FORM.traceparent) {
    const match = /^[0-9a-f]{2}-([0-9a-f]{32})-/i.exec(textOf(bytes, start, Math.min(end, start + 64)));
    if (match !== null) {
      from = start + 3;
      to = from + 32;
    }
  } else if (form === ID_FORM.cloudTrace && !isCloudTrace(bytes, start, end)) {
    return;
  } else if (form === ID_FORM.lastPathPart || form === ID_FORM.cloudTrace) {
    for (let p = start; p < end; p++) if (bytes[p] === 0x2f) from = p + 1;
  } else if (form === ID_FORM.firstPart) {
    to = start;
    while (to < end && !ID_PART_ENDS.includes(bytes[to] as number)) to++;
  }
  if (!isAllZeros(bytes, from, to)) span.set(from, to, -1);
}

function isCloudTrace(bytes: Uint8Array, start: number, end: number): boolean {
  return /^projects\/[^/]+\/traces\/[^/]+$|^[0-9a-f]{16,32}$/i.test(
    textOf(bytes, start, Math.min(end, start + 256)),
  );
}

/** True for the empty text too, and after the `0x` that Python's OpenTelemetry writes. */
function isAllZeros(bytes: Uint8Array, start: number, end: number): boolean {
  let p = bytes[start] === ZERO && bytes[start + 1] === SMALL_X && start + 1 < end ? start + 2 : start;
  while (p < end && (bytes[p] === ZERO || bytes[p] === DASH)) p++;
  return p === end;
}
