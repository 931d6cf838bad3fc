/**
 * From the bytes of one Kafka value to one canonical line: scan and validate, find the fields, choose
 * the canonical ones, classify, write. The same code serves ingestion and `explain`.
 *
 * Nothing depends on the time, the order of records or what was seen before, so a record that is read
 * again after a crash gives the same bytes.
 */
import { isUtf8 } from 'node:buffer';
import type { CategoryRules } from '../core/category-rules.ts';
import { LEVEL_RANK, type Level } from '../core/level.ts';
import type { QuarantineReason } from '../core/quarantine.ts';
import { UNKNOWN_SERVICE } from '../core/services.ts';
import { ByteText } from './byte-text.ts';
import { Calendar, LATEST_MS } from './calendar.ts';
import type { Candidates } from './candidates.ts';
import { CategoryMatcher } from './category-matcher.ts';
import { ROLE } from './fields/field-rule.ts';
import { HeaderService } from './header-service.ts';
import { jsonText } from './json-bytes.ts';
import { JsonScanner } from './json-scanner.ts';
import { KeyTable } from './key-table.ts';
import { NO_LEVEL } from './level-value.ts';
import type { LineBuffer } from './line-buffer.ts';
import { appendQuarantineLine } from './quarantine-line.ts';
import type { RawRecord } from './raw-record.ts';
import { RecordFields } from './record-fields.ts';
import { RecordLine } from './record-line.ts';
import { ErrorResolver } from './resolve-error.ts';
import { LevelResolver } from './resolve-level.ts';
import { resolveId, resolveMessage, resolveService } from './resolve-text.ts';
import { TimestampResolver } from './resolve-timestamp.ts';
import { ServiceIds } from './service-ids.ts';

/** Each transform thread makes one transformer from these. */
export interface RecordOptions {
  /** Records below this level are not stored. */
  readonly minLevel: Level;
  /** Longer values are quarantined as `too_large`. */
  readonly maxRecordBytes: number;
  /** Most nested objects and arrays, the record itself being 1. */
  readonly maxDepth: number;
  readonly categories: CategoryRules;
}

/** How a record ended. */
export const OUTCOME = { written: 0, filtered: 1, quarantined: 2 } as const;

export type Outcome = (typeof OUTCOME)[keyof typeof OUTCOME];

/** Where a record came from. */
interface RecordSource {
  readonly topic: string;
  readonly partition: number;
}

const UNKNOWN_SERVICE_TEXT = ByteText.of(jsonText(UNKNOWN_SERVICE));

export class RecordTransformer {
  /** Bit i: the last record belongs to CATEGORIES[i]. */
  categories = 0;
  /** Index in LEVELS of the last record. */
  levelRank = 0;
  timestampMs = 0;
  /** See `serviceName`. */
  serviceId = 0;
  /** The last record named no readable instant; it has Kafka's. */
  missingTimestamp = false;
  /** The last record named no level that we know; it counts as INFO. */
  unknownLevel = false;
  /** Why the last record was quarantined; null when it was not. */
  quarantineReason: QuarantineReason | null = null;

  readonly #minRank: number;
  readonly #maxRecordBytes: number;
  readonly #matcher: CategoryMatcher;
  readonly #scanner: JsonScanner;
  readonly #fields: RecordFields;
  readonly #line: RecordLine;
  readonly #timestamp: TimestampResolver;
  readonly #level = new LevelResolver();
  readonly #error = new ErrorResolver();
  readonly #services = new ServiceIds();
  readonly #headerService = new HeaderService();

  constructor(options: RecordOptions) {
    const calendar = new Calendar();
    this.#minRank = LEVEL_RANK[options.minLevel];
    this.#maxRecordBytes = options.maxRecordBytes;
    this.#matcher = new CategoryMatcher(options.categories);
    const keys = new KeyTable(this.#matcher);
    this.#scanner = new JsonScanner(keys, options.maxDepth);
    this.#fields = new RecordFields(keys);
    this.#line = new RecordLine(calendar, keys);
    this.#timestamp = new TimestampResolver(calendar);
  }

  /**
   * Appends exactly one line to `lines` when the record is written, to `quarantine` when it is
   * quarantined, none when it is below the minimum level. The fields above then describe this record;
   * of a quarantined one only `quarantineReason` does.
   */
  transform(record: RawRecord, source: RecordSource, lines: LineBuffer, quarantine: LineBuffer): Outcome {
    this.quarantineReason = null;
    if (!this.#accept(record, source, quarantine)) return OUTCOME.quarantined;
    const { bytes } = record;
    const fields = this.#fields;
    fields.collect(bytes, this.#scanner);
    this.#resolveLevel(bytes);
    this.#resolveTimestamp(record);
    if (this.levelRank < this.#minRank) return OUTCOME.filtered;
    const line = this.#line;
    this.#resolveService(record);
    resolveMessage(bytes, fields.candidates[ROLE.message] as Candidates, line.message);
    resolveId(bytes, fields.candidates[ROLE.correlation] as Candidates, line.correlation);
    resolveId(bytes, fields.candidates[ROLE.request] as Candidates, line.request);
    this.#resolveError(bytes);
    line.append(bytes, this.#scanner, fields.extraCount === 1 ? fields.extraMember : -1, lines);
    return OUTCOME.written;
  }

  /** Name of a service id, for counts. */
  serviceName(id: number): string {
    return this.#services.nameOf(id);
  }

  /** Checks a record; quarantines it and returns false when it cannot be taken. */
  #accept(record: RawRecord, source: RecordSource, quarantine: LineBuffer): boolean {
    const { bytes, valueStart, valueEnd } = record;
    const length = valueEnd - valueStart;
    if (valueStart < 0)
      return this.#quarantine(record, source, quarantine, 'empty', 'the record has no value');
    if (length > this.#maxRecordBytes) {
      const detail = `the value has ${length} bytes, more than ${this.#maxRecordBytes}`;
      return this.#quarantine(record, source, quarantine, 'too_large', detail);
    }
    const scanner = this.#scanner;
    if (scanner.scan(bytes, valueStart, valueEnd)) return true;
    const reason = scanner.failure ?? 'not_json';
    const isText = reason !== 'not_json' || isUtf8(bytes.subarray(valueStart, valueEnd));
    return this.#quarantine(
      record,
      source,
      quarantine,
      isText ? reason : 'invalid_utf8',
      scanner.failureDetail,
    );
  }

  #quarantine(
    record: RawRecord,
    source: RecordSource,
    quarantine: LineBuffer,
    reason: QuarantineReason,
    detail: string,
  ): false {
    this.quarantineReason = reason;
    appendQuarantineLine(quarantine, record, source, reason, detail);
    return false;
  }

  #resolveLevel(bytes: Uint8Array): void {
    const level = this.#level;
    level.resolve(bytes, this.#fields);
    this.unknownLevel = level.rank === NO_LEVEL;
    this.levelRank = this.unknownLevel ? LEVEL_RANK.INFO : level.rank;
    this.#line.levelRank = this.levelRank;
    this.#line.levelMember = level.member;
    this.#line.isLevelExact = level.isExact;
  }

  #resolveTimestamp(record: RawRecord): void {
    const timestamp = this.#timestamp;
    timestamp.resolve(record.bytes, this.#fields.candidates[ROLE.timestamp] as Candidates);
    this.missingTimestamp = Number.isNaN(timestamp.ms);
    this.timestampMs = this.missingTimestamp ? kafkaTimestamp(record) : timestamp.ms;
    this.#line.timestampMs = this.timestampMs;
    this.#line.timestampMember = timestamp.member;
  }

  /** The record's own service, else that of the Kafka header, else unknown. */
  #resolveService(record: RawRecord): void {
    const { service } = this.#line;
    this.#line.otherService = null;
    resolveService(record.bytes, this.#fields, service);
    if (service.isPresent) {
      this.serviceId = this.#services.find(record.bytes, service.start, service.end);
      return;
    }
    const text = this.#headerService.find(record);
    this.#line.otherService = text ?? UNKNOWN_SERVICE_TEXT;
    this.serviceId =
      text === null ? this.#services.unknown : this.#services.find(text.bytes, 1, text.bytes.length - 1);
  }

  #resolveError(bytes: Uint8Array): void {
    const error = this.#error;
    const line = this.#line;
    error.resolve(bytes, this.#fields, this.levelRank >= LEVEL_RANK.ERROR, line.message);
    line.errorClass = error.classIndex;
    line.errorClassMember = error.member;
    const ofLevel = this.#matcher.ofLevel[this.levelRank] as number;
    this.categories =
      this.#fields.categories | ofLevel | (error.hasException ? this.#matcher.ofException : 0);
  }
}

/** Kafka's instant of a record; the epoch itself when the producer set none that can be written. */
function kafkaTimestamp(record: RawRecord): number {
  return record.timestamp >= 0 && record.timestamp <= LATEST_MS ? record.timestamp : 0;
}
