/**
 * Puts the canonical line of a record together:
 * `{"timestamp","service","level","message","correlation_id","request_id","error_class","extra"}`, absent
 * fields left out.
 *
 * `extra` holds every member of the record, in order and as its own bytes, but those that became a
 * canonical field without loss. When all that is left is one object called `extra`, it is taken as
 * `extra` itself, which makes a canonical line its own result; beside other members it stays a member.
 *
 * Bytes are copied in as few pieces as possible: canonical fields that stand first, in our order and
 * form, are one piece with the record's opening brace; members of `extra` that are neighbours are one.
 */
import { LEVELS } from '../core/level.ts';
import type { Calendar } from './calendar.ts';
import { ERROR_CLASSES } from './error-class.ts';
import { CLOSE_BRACE, COMMA, KIND, OPEN_BRACE, QUOTE } from './json-bytes.ts';
import type { JsonScanner } from './json-scanner.ts';
import type { LineBuffer } from './line-buffer.ts';
import { LineWriter } from './line-writer.ts';
import { SourceSpan } from './source-span.ts';

/** All constants of a line, and a service name from a header, fit in this many bytes more. */
const CONSTANT_BYTES = 512;

const utf8 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

const KEYS = {
  timestamp: utf8('"timestamp":'),
  service: utf8('"service":'),
  level: utf8('"level":'),
  message: utf8('"message":'),
  correlation: utf8('"correlation_id":'),
  request: utf8('"request_id":'),
  errorClass: utf8('"error_class":'),
  extra: utf8('"extra":'),
};
const LEVEL_VALUES = LEVELS.map((level) => utf8(`"${level}"`));
const CLASS_VALUES = ERROR_CLASSES.map((name) => utf8(`"${name}"`));

export class RecordLine {
  timestampMs = 0;
  /** The member whose value is the timestamp's canonical text, else -1; the same for the level. */
  timestampMember = -1;
  levelMember = -1;
  levelRank = 0;
  readonly service = new SourceSpan();
  /** The service when it does not lie in the record's value as JSON text; else null. */
  otherService: Uint8Array | null = null;
  readonly message = new SourceSpan();
  readonly correlation = new SourceSpan();
  readonly request = new SourceSpan();
  /** Index in ERROR_CLASSES or -1. */
  errorClass = -1;
  errorClassMember = -1;

  readonly #calendar: Calendar;
  readonly #writer = new LineWriter();
  #isConsumed = new Uint8Array(64);

  // The part of the record that is copied as it stands, see #addToPrefix.
  #prefixMembers = 0;
  #prefixEnd = 0;
  #isPrefixOpen = false;

  constructor(calendar: Calendar) {
    this.#calendar = calendar;
  }

  /** Appends the line of the record in `bytes` that `scanner` has scanned to `lines`. */
  append(bytes: Uint8Array, scanner: JsonScanner, extraMember: number, lines: LineBuffer): void {
    const writer = this.#writer;
    const objectBytes = scanner.objectEnd - scanner.objectStart;
    const constantBytes = CONSTANT_BYTES + (this.otherService?.length ?? 0);
    writer.begin(lines, bytes, objectBytes * 2, constantBytes, scanner.needsCare);
    this.#prefixMembers = 0;
    this.#prefixEnd = scanner.objectStart + 1;
    this.#isPrefixOpen = true;
    const isConsumed = this.#markConsumed(scanner.members.count);

    this.#timestamp(bytes, scanner);
    this.#service(bytes, scanner);
    this.#level(bytes, scanner);
    this.#text(bytes, scanner, this.message, KEYS.message);
    this.#text(bytes, scanner, this.correlation, KEYS.correlation);
    this.#text(bytes, scanner, this.request, KEYS.request);
    this.#errorClass(bytes, scanner);
    this.#extra(bytes, scanner, isConsumed, extraMember);

    writer.finish(lines);
    isConsumed.fill(0, 0, scanner.members.count);
  }

  #markConsumed(count: number): Uint8Array {
    if (count > this.#isConsumed.length) this.#isConsumed = new Uint8Array(count * 2);
    const isConsumed = this.#isConsumed;
    if (this.timestampMember >= 0) isConsumed[this.timestampMember] = 1;
    if (this.levelMember >= 0) isConsumed[this.levelMember] = 1;
    if (this.errorClassMember >= 0) isConsumed[this.errorClassMember] = 1;
    if (this.service.member >= 0) isConsumed[this.service.member] = 1;
    if (this.message.member >= 0) isConsumed[this.message.member] = 1;
    if (this.correlation.member >= 0) isConsumed[this.correlation.member] = 1;
    if (this.request.member >= 0) isConsumed[this.request.member] = 1;
    return isConsumed;
  }

  /**
   * Takes a member as it stands when all before it were taken so, it comes next, and its key and spacing
   * are ours. Otherwise writes what was taken so far: from then on fields are written in pieces.
   */
  #addToPrefix(bytes: Uint8Array, scanner: JsonScanner, member: number, key: Uint8Array): boolean {
    if (!this.#isPrefixOpen) return false;
    const expectedStart = this.#prefixMembers === 0 ? this.#prefixEnd : this.#prefixEnd + 1;
    if (member === this.#prefixMembers && isTight(bytes, scanner, member, expectedStart, key)) {
      this.#prefixMembers++;
      this.#prefixEnd = scanner.members.valueEnd[member] as number;
      return true;
    }
    this.#closePrefix(scanner);
    return false;
  }

  #closePrefix(scanner: JsonScanner): void {
    this.#isPrefixOpen = false;
    this.#writer.copy(scanner.objectStart, this.#prefixEnd);
  }

  #timestamp(bytes: Uint8Array, scanner: JsonScanner): void {
    if (this.#addToPrefix(bytes, scanner, this.timestampMember, KEYS.timestamp)) return;
    const writer = this.#writer;
    writer.constant(KEYS.timestamp);
    writer.byte(QUOTE);
    writer.constant(this.#calendar.format(this.timestampMs));
    writer.byte(QUOTE);
  }

  #service(bytes: Uint8Array, scanner: JsonScanner): void {
    if (this.otherService === null) {
      this.#text(bytes, scanner, this.service, KEYS.service);
      return;
    }
    if (this.#isPrefixOpen) this.#closePrefix(scanner);
    const writer = this.#writer;
    writer.byte(COMMA);
    writer.constant(KEYS.service);
    writer.constant(this.otherService);
  }

  #level(bytes: Uint8Array, scanner: JsonScanner): void {
    const value = LEVEL_VALUES[this.levelRank] as Uint8Array;
    const member = this.levelMember;
    const isOurs = member >= 0 && holds(bytes, scanner.members.valueStart[member] as number, value);
    if (this.#addToPrefix(bytes, scanner, isOurs ? member : -1, KEYS.level)) return;
    this.#writer.byte(COMMA);
    this.#writer.constant(KEYS.level);
    this.#writer.constant(value);
  }

  #text(bytes: Uint8Array, scanner: JsonScanner, span: SourceSpan, key: Uint8Array): void {
    if (!span.isPresent || this.#addToPrefix(bytes, scanner, span.member, key)) return;
    const writer = this.#writer;
    writer.byte(COMMA);
    writer.constant(key);
    writer.byte(QUOTE);
    writer.copyContent(span.start, span.end);
    writer.byte(QUOTE);
  }

  #errorClass(bytes: Uint8Array, scanner: JsonScanner): void {
    if (this.errorClass < 0 || this.#addToPrefix(bytes, scanner, this.errorClassMember, KEYS.errorClass)) return;
    this.#writer.byte(COMMA);
    this.#writer.constant(KEYS.errorClass);
    this.#writer.constant(CLASS_VALUES[this.errorClass] as Uint8Array);
  }

  #extra(bytes: Uint8Array, scanner: JsonScanner, isConsumed: Uint8Array, extraMember: number): void {
    const { members } = scanner;
    const writer = this.#writer;
    const first = nextMember(isConsumed, 0, members.count);
    const isOnly = first < members.count && nextMember(isConsumed, first + 1, members.count) === members.count;
    if (isOnly && first === extraMember && members.kind[first] === KIND.object) {
      if (!this.#addToPrefix(bytes, scanner, first, KEYS.extra)) {
        writer.byte(COMMA);
        writer.constant(KEYS.extra);
        writer.copy(members.valueStart[first] as number, members.valueEnd[first] as number);
      }
      if (this.#isPrefixOpen) this.#closePrefix(scanner);
      writer.byte(CLOSE_BRACE);
      return;
    }
    if (this.#isPrefixOpen) this.#closePrefix(scanner);
    if (first < members.count) this.#runs(scanner, isConsumed, first);
    writer.byte(CLOSE_BRACE);
  }

  /** `,"extra":{...}` with all members that are not consumed, neighbours as one piece. */
  #runs(scanner: JsonScanner, isConsumed: Uint8Array, first: number): void {
    const { members } = scanner;
    const writer = this.#writer;
    writer.byte(COMMA);
    writer.constant(KEYS.extra);
    writer.byte(OPEN_BRACE);
    let start = first;
    while (start < members.count) {
      if (start !== first) writer.byte(COMMA);
      let last = start;
      while (last + 1 < members.count && isConsumed[last + 1] === 0) last++;
      writer.copy(members.keyStart[start] as number, members.valueEnd[last] as number);
      start = nextMember(isConsumed, last + 1, members.count);
    }
    writer.byte(CLOSE_BRACE);
  }
}

/** The first member from `from` on that is not consumed, `count` when there is none. */
function nextMember(isConsumed: Uint8Array, from: number, count: number): number {
  let i = from;
  while (i < count && isConsumed[i] === 1) i++;
  return i;
}

/** Whether `expected` stands at `at`. */
function holds(bytes: Uint8Array, at: number, expected: Uint8Array): boolean {
  for (let i = 0; i < expected.length; i++) {
    if (bytes[at + i] !== expected[i]) return false;
  }
  return true;
}

/** Whether a member is written `"key":value` with our key, from `start` on, without spaces. */
function isTight(bytes: Uint8Array, scanner: JsonScanner, member: number, start: number, key: Uint8Array): boolean {
  const { members } = scanner;
  if (members.keyStart[member] !== start || members.valueStart[member] !== start + key.length) return false;
  return holds(bytes, start, key);
}
