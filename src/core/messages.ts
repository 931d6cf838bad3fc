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
import type { PartitionRange, Position } from './offsets.ts';
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

/** Transform pool to main thread. */
export interface TransformResult {
  readonly input: ArrayBuffer;
  readonly output: ArrayBuffer;
  readonly regions: readonly Region[];
  /** Facts of the service_logs region (the other files' segments derive theirs from it in upkeep). */
  readonly facts: LineFacts;
  readonly counts: UnitCounts;
  /**
   * How many records carry which Kafka timestamp, rounded down: pairs of ms since the epoch and a
   * count, flat, because hundreds of small objects would cost more to send than the records to decode.
   */
  readonly kafkaTimestamps: Float64Array;
}

/** A transformed unit on its way to the files. */
export interface WriteUnit {
  readonly topic: string;
  readonly partition: number;
  readonly firstOffset: number;
  readonly nextOffset: number;
  /** Absent for a unit without records, which only moves the position (transaction markers). */
  readonly output: ArrayBuffer | null;
  readonly regions: readonly Region[];
  readonly facts: LineFacts;
  readonly counts: UnitCounts;
}

/** Main thread to writer thread. */
export type WriterRequest =
  | { readonly kind: 'append'; readonly unit: WriteUnit }
  /** The position jumps: [from, to) can never be read. Recorded in the checkpoint. */
  | {
      readonly kind: 'skip';
      readonly topic: string;
      readonly partition: number;
      readonly from: number;
      readonly to: number;
      readonly reason: string;
    }
  /** Flush and checkpoint now instead of at the next interval. */
  | { readonly kind: 'checkpoint' }
  /** Kafka has taken the offsets of this checkpoint, so its records are ours. */
  | {
      readonly kind: 'acknowledged';
      readonly sequence: number;
      /** Offsets for which nobody could tell whether Kafka took them. */
      readonly uncertain: readonly PartitionRange[];
    }
  /** Cut the files back to the last acknowledged checkpoint, and forget every request before this one. */
  | { readonly kind: 'roll_back' }
  /** Flush, checkpoint, close and end. */
  | { readonly kind: 'stop' };

/** What a start or a roll-back had to do to the files before it could go on. */
export interface RecoveryAction {
  readonly kind: 'initialised' | 'cut' | 'renamed' | 'returned' | 'fell_back';
  readonly file: string;
  /** Bytes cut off, or 0. */
  readonly bytes: number;
}

/** How far the files go according to a checkpoint. */
export interface CheckpointPositions {
  readonly sequence: number;
  readonly positions: readonly Position[];
}

/** Writer thread to main thread. */
export type WriterEvent =
  | {
      readonly kind: 'ready';
      /** Names this set of files for ever; another directory has another one. */
      readonly directoryId: string;
      readonly checkpoint: CheckpointPositions;
      /** The newest checkpoint that Kafka is known to have taken: the one before, or the same. */
      readonly acknowledged: CheckpointPositions;
      readonly recovery: readonly RecoveryAction[];
    }
  | {
      readonly kind: 'rolled_back';
      readonly checkpoint: CheckpointPositions;
      readonly recovery: readonly RecoveryAction[];
    }
  /** The lines of these buffers are in the files (not yet durable); the memory can be used again. */
  | { readonly kind: 'released'; readonly outputs: readonly ArrayBuffer[]; readonly units: number }
  | {
      readonly kind: 'checkpointed';
      readonly sequence: number;
      readonly durationMs: number;
      readonly positions: readonly Position[];
      /** Units and skips made durable by this checkpoint, counted since the start or the last roll-back. */
      readonly durableUnits: number;
      readonly fileBytes: Readonly<Partial<Record<LogFile, number>>>;
    }
  | {
      readonly kind: 'rotated';
      readonly file: LogFile;
      /** Absolute path without suffix. */
      readonly path: string;
      readonly bytes: number;
      readonly records: number;
    }
  | { readonly kind: 'blocked'; readonly reason: string }
  | { readonly kind: 'unblocked' }
  | { readonly kind: 'failed'; readonly error: SerialisedError }
  | { readonly kind: 'stopped' };

/** What the writer thread is started with. */
export interface WriterOptions {
  readonly directory: string;
  readonly instance: string;
  readonly maxFileBytes: number;
  readonly maxFileAgeMs: number;
  /** Lines become visible after this many records or this much time, whichever comes first. */
  readonly bufferRecords: number;
  readonly flushIntervalMs: number;
  readonly checkpointIntervalMs: number;
}
