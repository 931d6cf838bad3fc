/**
 * All messages between threads. Plain, readonly, tagged; an unknown kind is fatal.
 *
 * Buffers are transferred, never copied or shared, so exactly one thread can touch them at a time:
 * main -> transform -> main -> writer -> main, in a closed circle (see transform/pool.ts).
 *
 * A **unit** is the smallest piece of work: consecutive record batches of one partition, covering the
 * offsets [firstOffset, nextOffset). It is transformed by one task and appended whole or not at all.
 */
import type { SerialisedError } from './errors.ts';
import type { LogFile } from './files.ts';
import type { QuarantineReason } from './quarantine.ts';

/** Main thread to transform pool. */
export interface TransformTask {
  readonly topic: string;
  readonly partition: number;
  /** Records below this offset were handled before and are skipped. */
  readonly firstOffset: number;
  /** Whole Kafka record batches (magic 2), back to back, in the first `inputBytes` bytes. */
  readonly input: ArrayBuffer;
  readonly inputBytes: number;
  /** Where lines go; replaced by a larger buffer when it is too small. */
  readonly output: ArrayBuffer;
}

/** A run of whole lines of one log file inside a result's output buffer. */
export interface Region {
  readonly file: LogFile;
  readonly start: number;
  readonly end: number;
  readonly records: number;
}

/** What is known about the lines of one file: summed over a segment, kept in its `.meta.json`. */
export interface LineFacts {
  /** Milliseconds since the epoch of the earliest and latest record; null when there is none. */
  readonly minTimestamp: number | null;
  readonly maxTimestamp: number | null;
  /** Records per level, in the order of LEVELS. */
  readonly levels: readonly number[];
  readonly services: Readonly<Record<string, number>>;
}

/** How the records of a unit ended: consumed = written + filtered + quarantined. */
export interface UnitCounts {
  readonly consumed: number;
  readonly written: number;
  /** Below the minimum level. */
  readonly filtered: number;
  readonly quarantined: number;
  readonly missingTimestamps: number;
  readonly unknownLevels: number;
  readonly quarantineReasons: Readonly<Partial<Record<QuarantineReason, number>>>;
}

/** How many records carry a Kafka timestamp of `timestamp` ms (rounded down to 8 ms). */
export interface TimestampCount {
  readonly timestamp: number;
  readonly records: number;
}

/** Transform pool to main thread. */
export interface TransformResult {
  readonly input: ArrayBuffer;
  readonly output: ArrayBuffer;
  readonly regions: readonly Region[];
  /** Facts of the service_logs region (the other files' segments derive theirs from it in upkeep). */
  readonly facts: LineFacts;
  readonly counts: UnitCounts;
  readonly kafkaTimestamps: readonly TimestampCount[];
}
