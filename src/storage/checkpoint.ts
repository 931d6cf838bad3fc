/**
 * `state/checkpoint.json`: the one record of what is durable.
 *
 * Invariants
 * - It is written only after every byte it speaks of was fdatasynced, and replaced atomically.
 * - Whatever lies in an active file beyond `length` was never acknowledged and is cut on recovery.
 * - A Kafka offset is committed only after a checkpoint that holds it is durable.
 * - A checkpoint is written only after Kafka acknowledged the one before. So at most the newest can hold
 *   records that are not ours, and the one before says where the files are to be cut then.
 *
 * Format (version 2): JSON; the last key `checksum` is the CRC-32C of the text before it, so that a
 * torn or flipped file is recognised. The checkpoint before it is kept as `checkpoint.prev.json`.
 *
 * A crash at any point leaves at least one valid file among `checkpoint.json`, the temporary file and
 * the previous one; the one with the highest sequence is the truth.
 */
import { ServiceError } from '../core/errors.ts';
import type { LogFile } from '../core/files.ts';
import type { LineFacts } from '../core/messages.ts';
import { decodeChecked, encodeChecked, readIfPresent } from './checked-json.ts';
import type { OffsetRange, RecordTotals, SegmentFacts } from './facts.ts';
import { CHECKPOINT_FILE, CHECKPOINT_PREVIOUS_FILE, CHECKPOINT_TEMPORARY_FILE, statePath } from './layout.ts';

/** Offsets that Kafka deleted before they were read, or that an operator chose to skip. */
export interface LostRange extends OffsetRange {
  readonly reason: string;
}

export interface PartitionCheckpoint extends RecordTotals {
  readonly first_offset: number;
  readonly next_offset: number;
  /** Offsets that are not in these files: given up, or stored by another instance. */
  readonly lost: readonly LostRange[];
  /** Offsets that are in these files, and that another instance may hold too. */
  readonly uncertain: readonly OffsetRange[];
}

export interface ActiveFileCheckpoint {
  readonly number: number;
  readonly opened_at: string;
  readonly length: number;
  readonly crc32c: string;
  readonly records: number;
  readonly facts: LineFacts;
  /** Where each partition stood when the segment was opened. */
  readonly start_offsets: Readonly<Record<string, number>>;
  readonly totals: RecordTotals;
  /** The totals by partition; left out where a build before it opened the segment. */
  readonly partition_totals?: Readonly<Record<string, RecordTotals>>;
}

/** A rotation that must be finished: rename the active file to `base` + `.jsonl`, then write its facts. */
export interface PendingRename {
  readonly file: LogFile;
  readonly base: string;
  readonly facts: SegmentFacts;
}

/** A rotation that must be undone: the file is active again. */
export type PendingReturn = Pick<PendingRename, 'file' | 'base'>;

export interface Checkpoint {
  readonly version: 2;
  readonly instance: string;
  /** Names this set of files for ever; commits carry it, so that nobody takes another directory's for its own. */
  readonly directory_id: string;
  readonly sequence: number;
  /** Sequence of the newest checkpoint that Kafka was known to have taken: the one before, or this one. */
  readonly acknowledged: number;
  readonly written_at: string;
  readonly partitions: Readonly<Record<string, PartitionCheckpoint>>;
  readonly files: Readonly<Partial<Record<LogFile, ActiveFileCheckpoint>>>;
  readonly pending_renames: readonly PendingRename[];
  readonly pending_returns: readonly PendingReturn[];
}

export function encodeCheckpoint(checkpoint: Checkpoint): string {
  return encodeChecked(checkpoint);
}

/** Undefined when the text is torn, altered, or not a version 2 checkpoint. */
export function decodeCheckpoint(text: string): Checkpoint | undefined {
  const parsed = decodeChecked(text) as Checkpoint | undefined;
  return parsed?.version === 2 ? parsed : undefined;
}

export interface LoadedCheckpoint {
  readonly checkpoint: Checkpoint;
  /** Which of the candidate files it came from. */
  readonly source: string;
  /** Candidates that exist but are damaged. */
  readonly damaged: readonly string[];
  /** The checkpoint to go back to when Kafka never took this one; undefined when it is not known. */
  readonly acknowledged: Checkpoint | undefined;
}

/**
 * The newest valid checkpoint, or undefined when the directory has none at all.
 * @throws ServiceError CHECKPOINT_CORRUPT when files exist but none is valid
 */
export function loadCheckpoint(directory: string): LoadedCheckpoint | undefined {
  const damaged: string[] = [];
  const valid: { checkpoint: Checkpoint; source: string }[] = [];
  for (const source of [CHECKPOINT_FILE, CHECKPOINT_TEMPORARY_FILE, CHECKPOINT_PREVIOUS_FILE]) {
    const text = readIfPresent(statePath(directory, source));
    if (text === undefined) continue;
    const checkpoint = decodeCheckpoint(text);
    if (checkpoint === undefined) damaged.push(source);
    else valid.push({ checkpoint, source });
  }
  valid.sort((left, right) => right.checkpoint.sequence - left.checkpoint.sequence);
  const [best] = valid;
  if (best !== undefined) {
    const before = valid.find(({ checkpoint }) => checkpoint.sequence === best.checkpoint.acknowledged);
    return { ...best, damaged, acknowledged: before?.checkpoint };
  }
  // A torn temporary file alone is what a crash during the very first checkpoint leaves.
  if (damaged.every((name) => name === CHECKPOINT_TEMPORARY_FILE)) return undefined;
  throw new ServiceError(
    'CHECKPOINT_CORRUPT',
    `No valid checkpoint in ${statePath(directory, '')} (${damaged.join(' and ')} damaged): restore one from a backup, or move the output directory away to start a new one from the group's committed offsets.`,
    { directory, damaged: damaged.join(',') },
  );
}
