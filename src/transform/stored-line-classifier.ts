/**
 * Which categories a stored line belongs to by the present rules, and what a segment's facts say of it:
 * for the columnar sidecar and for rebuilding facts, which have the lines and nothing else.
 *
 * `extra` is judged as the record that it was, and the canonical fields as further members of it, so the
 * default rules give what ingestion gave. A rule that names a field which became a canonical one under
 * another name (`app`, stored as `service`) is the exception: the line no longer has that name.
 */
import type { CategoryRules } from '../core/category-rules.ts';
import { LEVEL_RANK, LEVELS } from '../core/level.ts';
import { CANONICAL_LENGTH, Calendar } from './calendar.ts';
import { CategoryMatcher, type FieldCategories } from './category-matcher.ts';
import { normaliseName } from './fields/field-rule.ts';
import { decodeString } from './json-bytes.ts';
import { JsonScanner } from './json-scanner.ts';
import { KeyTable } from './key-table.ts';
import { LineFactsCounter } from './line-facts.ts';
import { MAX_CATEGORY_TEXT_BYTES, RecordFields } from './record-fields.ts';
import { ErrorResolver } from './resolve-error.ts';
import { ServiceIds } from './service-ids.ts';
import { SourceSpan } from './source-span.ts';
import { STORED, STORED_FIELDS, StoredLine } from './stored-line.ts';

const LEVEL_TEXTS = LEVELS.map((level) => Buffer.from(level));

export class StoredLineClassifier {
  /** The fields of the last line. */
  readonly line = new StoredLine();
  /** Facts of all lines since the last `facts.reset()`. */
  readonly facts = new LineFactsCounter();
  /** Bit i: the last line belongs to CATEGORIES[i]. */
  categories = 0;

  readonly #matcher: CategoryMatcher;
  readonly #scanner: JsonScanner;
  readonly #fields: RecordFields;
  readonly #calendar = new Calendar();
  readonly #error = new ErrorResolver();
  readonly #message = new SourceSpan();
  readonly #services = new ServiceIds();
  readonly #named: readonly FieldCategories[];

  /** @param maxDepth of a record, as in ingestion */
  constructor(rules: CategoryRules, maxDepth: number) {
    this.#matcher = new CategoryMatcher(rules);
    const keys = new KeyTable(this.#matcher);
    this.#scanner = new JsonScanner(keys, maxDepth);
    this.#fields = new RecordFields(keys);
    this.#named = STORED_FIELDS.map((name) => this.#matcher.describe(normaliseName(name)));
  }

  /** Judges the line `start`..`end`, without its newline. False when it is no line of ours. */
  judge(bytes: Uint8Array, start: number, end: number): boolean {
    const { line } = this;
    if (!line.read(bytes, start, end)) return false;
    const timestampMs = this.#timestamp(bytes);
    const rank = this.#levelRank(bytes);
    if (Number.isNaN(timestampMs) || rank < 0 || !line.has(STORED.service)) return false;
    if (!this.#judgeExtra(bytes)) return false;
    this.categories |= this.#matcher.ofLevel[rank] as number;
    if (this.#hasException(bytes, rank)) this.categories |= this.#matcher.ofException;
    for (let field = 0; field < STORED.extra; field += 1) this.#judgeNamed(bytes, field);
    const service = this.#services.find(
      bytes,
      line.start[STORED.service] as number,
      line.end[STORED.service] as number,
    );
    this.facts.add(timestampMs, rank, service);
    return true;
  }

  /** Name of a service id of the facts. */
  serviceName(id: number): string {
    return this.#services.nameOf(id);
  }

  #timestamp(bytes: Uint8Array): number {
    const start = this.line.start[STORED.timestamp] as number;
    if (start < 0 || (this.line.end[STORED.timestamp] as number) - start !== CANONICAL_LENGTH)
      return Number.NaN;
    return this.#calendar.readCanonical(bytes, start);
  }

  #levelRank(bytes: Uint8Array): number {
    const start = this.line.start[STORED.level] as number;
    const length = (this.line.end[STORED.level] as number) - start;
    if (start < 0) return -1;
    return LEVEL_TEXTS.findIndex(
      (text) => text.length === length && text.compare(bytes, start, start + length) === 0,
    );
  }

  /** The members of `extra`, as the record that the producer sent. */
  #judgeExtra(bytes: Uint8Array): boolean {
    this.categories = 0;
    if (!this.line.has(STORED.extra)) return true;
    const start = this.line.start[STORED.extra] as number;
    if (!this.#scanner.scan(bytes, start, this.line.end[STORED.extra] as number)) return false;
    this.#fields.collect(bytes, this.#scanner);
    this.categories = this.#fields.categories;
    return true;
  }

  /** Only an error of ERROR or above has a class without having an exception. */
  #hasException(bytes: Uint8Array, rank: number): boolean {
    if (rank < LEVEL_RANK.ERROR) return this.line.has(STORED.error_class);
    if (!this.line.has(STORED.extra)) return false;
    this.#error.resolve(bytes, this.#fields, false, this.#message);
    return this.#error.hasException;
  }

  /** A canonical field, as if it were a member of the record. */
  #judgeNamed(bytes: Uint8Array, field: number): void {
    if (!this.line.has(field)) return;
    const { present, values } = this.#named[field] as FieldCategories;
    this.categories |= present;
    const start = this.line.start[field] as number;
    const end = this.line.end[field] as number;
    if (values === null || end - start > MAX_CATEGORY_TEXT_BYTES) return;
    this.categories |= values.get(decodeString(bytes, start, end).toLowerCase()) ?? 0;
  }
}
