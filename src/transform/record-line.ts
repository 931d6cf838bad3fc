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
 * form, are one piece with the record's opening brace (the head); neighbours in `extra` are one.
 */
import { LEVELS } from '../core/level.ts';
import { ByteText } from './byte-text.ts';
import type { Calendar } from './calendar.ts';
import { ERROR_CLASSES } from './error-class.ts';
import { ROLE } from './fields/field-rule.ts';
import { KIND } from './json-bytes.ts';
import type { JsonScanner } from './json-scanner.ts';
import type { KeyTable } from './key-table.ts';
import type { LineBuffer } from './line-buffer.ts';
import { LineWriter } from './line-writer.ts';
import type { MemberTable } from './member-table.ts';
import { SourceSpan } from './source-span.ts';

/** All constants of a line fit in this many bytes. */
const CONSTANT_BYTES = 512;

const NOTHING = ByteText.of('');
const BEFORE_TIMESTAMP = ByteText.of('{"timestamp":"');
const AFTER_TIMESTAMP = ByteText.of('"');
const SERVICE_KEY = ByteText.of(',"service":');
const BEFORE_SERVICE = ByteText.of(',"service":"');
const LEVEL_FIELDS = LEVELS.map((level) => ByteText.of(`,"level":"${level}"`));
const BEFORE_MESSAGE = ByteText.of(',"message":"');
const BEFORE_CORRELATION = ByteText.of(',"correlation_id":"');
const BEFORE_REQUEST = ByteText.of(',"request_id":"');
const CLASS_FIELDS = ERROR_CLASSES.map((name) => ByteText.of(`,"error_class":"${name}"`));
const EXTRA_KEY = ByteText.of(',"extra":');
const BEFORE_EXTRA = ByteText.of(',"extra":{');
const BETWEEN_RUNS = ByteText.of(',');
const END = ByteText.of('}\n');
const END_OF_EXTRA = ByteText.of('}}\n');

/** The fields before `extra`, in the order of a line. */
const ORDER = [
  ROLE.timestamp,
  ROLE.service,
  ROLE.level,
  ROLE.message,
  ROLE.correlation,
  ROLE.request,
  ROLE.errorClass,
] as const;
/** In place of a member: the field has a value that no member holds, or the field has none. */
const NO_MEMBER = -1;
const ABSENT = -2;

export class RecordLine {
  timestampMs = 0;
  /** The member whose value is the timestamp's canonical text, else -1. */
  timestampMember = NO_MEMBER;
  levelRank = 0;
  /** The member that holds the level's name in any case, else -1; and whether it is in upper case. */
  levelMember = NO_MEMBER;
  isLevelExact = false;
  readonly service = new SourceSpan();
  /** The service as JSON text when it does not lie in the record's value; else null. */
  otherService: ByteText | null = null;
  readonly message = new SourceSpan();
  readonly correlation = new SourceSpan();
  readonly request = new SourceSpan();
  /** Index in ERROR_CLASSES or -1. */
  errorClass = -1;
  errorClassMember = NO_MEMBER;

  readonly #calendar: Calendar;
  readonly #keys: KeyTable;
  readonly #writer = new LineWriter();
  /** Per field of ORDER the member that can be copied as it stands, NO_MEMBER or ABSENT. */
  readonly #sources = new Int32Array(ORDER.length);
  /** 1 for members that need not stand in `extra`. */
  #isConsumed = new Uint8Array(64);
  /** What the head holds: how many members, how many fields of ORDER, and where it ends. */
  #headMembers = 0;
  #headFields = 0;
  #headEnd = 0;

  constructor(calendar: Calendar, keys: KeyTable) {
    this.#calendar = calendar;
    this.#keys = keys;
  }

  /** Appends the line of the record in `bytes` that `scanner` has scanned to `lines`. */
  append(bytes: Uint8Array, scanner: JsonScanner, extraMember: number, lines: LineBuffer): void {
    const { members, objectStart, objectEnd } = scanner;
    const constantBytes = CONSTANT_BYTES + (this.otherService?.bytes.length ?? 0);
    this.#writer.begin(lines, bytes, (objectEnd - objectStart) * 2, constantBytes, scanner.needsCare);
    this.#findSources();
    this.#measureHead(members, objectStart + 1);
    this.#markConsumed(members.count);
    if (this.#headMembers > 0) this.#writer.piece(NOTHING, objectStart, this.#headEnd);
    this.#fields();
    this.#extra(members, extraMember, lines);
  }

  #findSources(): void {
    const sources = this.#sources;
    sources[0] = this.timestampMember;
    sources[1] = this.otherService === null ? this.service.member : NO_MEMBER;
    sources[2] = this.isLevelExact ? this.levelMember : NO_MEMBER;
    sources[3] = this.message.isPresent ? this.message.member : ABSENT;
    sources[4] = this.correlation.isPresent ? this.correlation.member : ABSENT;
    sources[5] = this.request.isPresent ? this.request.member : ABSENT;
    sources[6] = this.errorClass < 0 ? ABSENT : this.errorClassMember;
  }

  /** Counts the leading members that are fields in our order, under our keys and without spaces. */
  #measureHead(members: MemberTable, start: number): void {
    const sources = this.#sources;
    const canonical = this.#keys.canonical;
    let next = 0;
    let end = start;
    let field = 0;
    for (; field < ORDER.length; field++) {
      const member = sources[field] as number;
      if (member === ABSENT) continue;
      if (member !== next || canonical[members.key[member] as number] !== ORDER[field]) break;
      if (!isTight(members, member, next === 0 ? end : end + 1)) break;
      end = members.valueEnd[member] as number;
      next++;
    }
    this.#headMembers = next;
    this.#headFields = next === 0 ? 0 : field;
    this.#headEnd = end;
  }

  #markConsumed(count: number): void {
    if (count > this.#isConsumed.length) this.#isConsumed = new Uint8Array(count * 2);
    const isConsumed = this.#isConsumed;
    for (let i = 0; i < count; i++) isConsumed[i] = 0;
    if (this.timestampMember >= 0) isConsumed[this.timestampMember] = 1;
    if (this.service.member >= 0) isConsumed[this.service.member] = 1;
    if (this.levelMember >= 0) isConsumed[this.levelMember] = 1;
    if (this.message.member >= 0) isConsumed[this.message.member] = 1;
    if (this.correlation.member >= 0) isConsumed[this.correlation.member] = 1;
    if (this.request.member >= 0) isConsumed[this.request.member] = 1;
    if (this.errorClassMember >= 0) isConsumed[this.errorClassMember] = 1;
  }

  /** Writes the fields that are not in the head. */
  #fields(): void {
    const writer = this.#writer;
    const { message, correlation, request } = this;
    const done = this.#headFields;
    if (done < 1) {
      writer.constant(BEFORE_TIMESTAMP);
      writer.constant(this.#calendar.format(this.timestampMs));
      writer.constant(AFTER_TIMESTAMP);
    }
    if (done < 2) this.#service();
    if (done < 3) writer.constant(LEVEL_FIELDS[this.levelRank] as ByteText);
    if (done < 4 && message.isPresent) writer.text(BEFORE_MESSAGE, message.start, message.end);
    if (done < 5 && correlation.isPresent)
      writer.text(BEFORE_CORRELATION, correlation.start, correlation.end);
    if (done < 6 && request.isPresent) writer.text(BEFORE_REQUEST, request.start, request.end);
    if (done < 7 && this.errorClass >= 0) writer.constant(CLASS_FIELDS[this.errorClass] as ByteText);
  }

  #service(): void {
    if (this.otherService === null) {
      this.#writer.text(BEFORE_SERVICE, this.service.start, this.service.end);
      return;
    }
    this.#writer.constant(SERVICE_KEY);
    this.#writer.constant(this.otherService);
  }

  /** Writes what is left of the record, and the end of the line. */
  #extra(members: MemberTable, extraMember: number, lines: LineBuffer): void {
    const { count } = members;
    const first = this.#nextLeft(0, count);
    if (first === count) {
      this.#writer.finish(lines, END);
      return;
    }
    const isOnly = first === extraMember && members.kind[first] === KIND.object;
    if (isOnly && this.#nextLeft(first + 1, count) === count) {
      this.#writer.piece(EXTRA_KEY, members.valueStart[first] as number, members.valueEnd[first] as number);
      this.#writer.finish(lines, END);
      return;
    }
    this.#runs(members, first);
    this.#writer.finish(lines, END_OF_EXTRA);
  }

  /** Writes all members that are not consumed, neighbours as one piece. */
  #runs(members: MemberTable, first: number): void {
    const isConsumed = this.#isConsumed;
    const { count } = members;
    let start = first;
    while (start < count) {
      let last = start;
      while (last + 1 < count && isConsumed[last + 1] === 0) last++;
      const before = start === first ? BEFORE_EXTRA : BETWEEN_RUNS;
      this.#writer.piece(before, members.keyStart[start] as number, members.valueEnd[last] as number);
      start = this.#nextLeft(last + 1, count);
    }
  }

  /** The first member from `from` on that is not consumed, `count` when there is none. */
  #nextLeft(from: number, count: number): number {
    const isConsumed = this.#isConsumed;
    let i = from;
    while (i < count && isConsumed[i] === 1) i++;
    return i;
  }
}

/** Whether a member is written `"key":value` from `start` on, without spaces. */
function isTight(members: MemberTable, member: number, start: number): boolean {
  if (members.keyStart[member] !== start) return false;
  return members.valueStart[member] === (members.keyEnd[member] as number) + 1;
}
