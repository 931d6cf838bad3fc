/** The quarantine read back, and what the parser makes of it: between the files, the parser and replay. */
import type { Category } from './files.ts';
import type { LineFacts } from './messages.ts';
import type { QuarantineReason } from './quarantine.ts';

export interface QuarantinedHeader {
  readonly name: Uint8Array;
  readonly value: Uint8Array | null;
}

/** One line of `quarantine.jsonl`, with the bytes as they came from Kafka. */
export interface QuarantineEntry {
  readonly reason: string;
  readonly detail: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** The last offset that the entry stands for: `offset` itself, unless it is a batch. */
  readonly lastOffset: number;
  /** How many records it stands for. */
  readonly records: number;
  /** Whether `raw` is a whole record batch that could not be read, instead of one value. */
  readonly isBatch: boolean;
  /** Kafka's, ms since the epoch; -1 when there was none. */
  readonly timestamp: number;
  readonly key: Uint8Array | null;
  readonly headers: readonly QuarantinedHeader[];
  /** The value, or the batch; decoded at every call. Null when the record had none. */
  raw(): Uint8Array | null;
}

/** What the current parser makes of a record from the quarantine. */
export type Reparsed =
  | {
      readonly kind: 'stored';
      readonly offset: number;
      /** With its newline; valid until the next record. */
      readonly line: Uint8Array;
      readonly categories: readonly Category[];
      readonly facts: LineFacts;
    }
  /** Accepted, and below the minimum level. */
  | { readonly kind: 'filtered'; readonly offset: number }
  /** `records` of them are not accepted, still or again. */
  | { readonly kind: 'refused'; readonly records: number; readonly reason: QuarantineReason };

/**
 * Sends the records of an entry through the current parser.
 * @param isDone tells which offsets of it were stored before; they are passed over
 * @param visit called for each other record, in offset order
 */
export type Reparse = (
  entry: QuarantineEntry,
  isDone: (offset: number) => boolean,
  visit: (record: Reparsed) => void,
) => void;
