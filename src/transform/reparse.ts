/**
 * Sends quarantined records through the parser again: the same code, with the same inputs, as if Kafka
 * had brought them now. So a record that is accepted gives the line that ingestion would have written.
 */
import { CATEGORIES, type Category } from '../core/files.ts';
import { invariant } from '../core/invariant.ts';
import type { QuarantineEntry, Reparse, Reparsed } from '../core/quarantine-entry.ts';
import { decompress } from './codecs/decompress.ts';
import { corrupt, DecodeFailure } from './decode-failure.ts';
import { LineBuffer } from './line-buffer.ts';
import { LineFactsCounter } from './line-facts.ts';
import type { UnitOptions } from './pool.ts';
import type { RawRecord } from './raw-record.ts';
import { rawRecordOf } from './raw-record-of.ts';
import { BATCH_HEADER_BYTES, checkBatch, type RecordBatchHeader, readBatchHeader } from './record-batch.ts';
import { NEXT, RecordReader } from './record-reader.ts';
import { OUTCOME, RecordTransformer } from './record-transformer.ts';

type Visit = (record: Reparsed) => void;

/** More than this is not kept after the record that needed it. */
const KEPT_BYTES = 1024 * 1024;

/** A parser with the limits, categories and minimum level of `options`. */
export function createReparser(options: UnitOptions): Reparse {
  const reparser = new Reparser(options);
  return (entry, isDone, visit) => reparser.reparse(entry, isDone, visit);
}

class Reparser {
  readonly #transformer: RecordTransformer;
  readonly #maxDecompressedBytes: number;
  readonly #reader = new RecordReader();
  readonly #facts = new LineFactsCounter();
  readonly #lines = new LineBuffer(new ArrayBuffer(0));
  readonly #refused = new LineBuffer(new ArrayBuffer(0));
  readonly #record: RawRecord = rawRecordOf({ offset: 0, timestamp: -1, headers: [] }, null);

  /** Records of the present entry that could be read. */
  #seen = 0;

  constructor(options: UnitOptions) {
    this.#transformer = new RecordTransformer(options);
    this.#maxDecompressedBytes = options.maxDecompressedBytes;
  }

  reparse(entry: QuarantineEntry, isDone: (offset: number) => boolean, visit: Visit): void {
    if (entry.isBatch) this.#batches(entry, isDone, visit);
    else if (!isDone(entry.offset)) visit(this.#one(rawRecordOf(entry, entry.raw()), entry));
  }

  #one(record: RawRecord, { topic, partition }: QuarantineEntry): Reparsed {
    const transformer = this.#transformer;
    const [lines, quarantine] = [emptied(this.#lines), emptied(this.#refused)];
    const { offset } = record;
    const outcome = transformer.transform(record, { topic, partition }, lines, quarantine);
    if (outcome === OUTCOME.filtered) return { kind: 'filtered', offset };
    if (outcome === OUTCOME.quarantined) {
      const reason = transformer.quarantineReason;
      invariant(reason !== null, 'a quarantined record has a reason');
      return { kind: 'refused', records: 1, reason };
    }
    this.#facts.reset();
    this.#facts.add(transformer.timestampMs, transformer.levelRank, transformer.serviceId);
    return {
      kind: 'stored',
      offset,
      line: lines.bytes.subarray(0, lines.length),
      categories: categoriesOf(transformer.categories),
      facts: this.#facts.facts((id) => transformer.serviceName(id)),
    };
  }

  /** Records of the batch before the entry's first offset were accepted when it came. */
  #batches(entry: QuarantineEntry, isDone: (offset: number) => boolean, visit: Visit): void {
    const bytes = ownMemory(entry.raw());
    const view = new DataView(bytes.buffer);
    this.#seen = 0;
    let position = 0;
    do {
      const header = readBatchHeader(view, position, bytes.length);
      const failure =
        header instanceof DecodeFailure ? header : this.#batch(bytes, view, header, entry, isDone, visit);
      if (failure !== null) {
        const records = Math.max(1, entry.records - this.#seen);
        visit({ kind: 'refused', records, reason: failure.reason });
        return;
      }
      position = (header as RecordBatchHeader).end;
    } while (position < bytes.length);
  }

  /** @returns why the batch, or the rest of it, cannot be read; null when all of it was */
  #batch(
    bytes: Uint8Array,
    view: DataView,
    header: RecordBatchHeader,
    entry: QuarantineEntry,
    isDone: (offset: number) => boolean,
    visit: Visit,
  ): DecodeFailure | null {
    const damage = checkBatch(bytes, view, header);
    if (damage !== null || header.isControl) return damage;
    const compressed = bytes.subarray(header.start + BATCH_HEADER_BYTES, header.end);
    const records = decompress(header.codec, compressed, this.#maxDecompressedBytes);
    if (records instanceof DecodeFailure) return records;
    this.#reader.open(header, records, 0, records.length);
    return this.#walk(entry, isDone, visit);
  }

  #walk(entry: QuarantineEntry, isDone: (offset: number) => boolean, visit: Visit): DecodeFailure | null {
    const record = this.#record;
    for (;;) {
      const next = this.#reader.next(record);
      if (next === NEXT.end) return null;
      if (next === NEXT.corrupt) return this.#reader.failure();
      const { offset } = record;
      // The entry speaks of these offsets only, whatever the bytes say.
      if (offset > entry.lastOffset) return corrupt(`offset ${offset} behind the last of the batch`);
      if (offset < entry.offset) continue;
      this.#seen += 1;
      if (!isDone(offset)) visit(this.#one(record, entry));
    }
  }
}

function emptied(buffer: LineBuffer): LineBuffer {
  if (buffer.bytes.length > KEPT_BYTES) buffer.reset(new ArrayBuffer(0));
  buffer.length = 0;
  return buffer;
}

/** LZ4 writes to its input while it works, so the memory must be nobody else's. */
function ownMemory(bytes: Uint8Array | null): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes ?? []);
}

function categoriesOf(bits: number): Category[] {
  return CATEGORIES.filter((_, bit) => (bits & (1 << bit)) !== 0);
}
