/**
 * `state/replay.json`: which records of the quarantine were stored afterwards, and in which segments.
 *
 * Invariants
 * - It is replaced atomically, after every byte and every name that it speaks of is durable. That
 *   replacement is the moment at which a run has happened; before it, its files mean nothing.
 * - Segments of the replay series that no run lists are leftovers of a run that was interrupted. The next
 *   replay removes them, and their numbers may be used again.
 * - An offset of a partition is in at most one run.
 *
 * Format (version 1): JSON with a checksum (checked-json.ts). Offsets are lists as OffsetSet encodes them.
 * Only a replay writes it, under `state/replay.lock`.
 */
import { join } from 'node:path';
import { ServiceError } from '../core/errors.ts';
import type { LogFile } from '../core/files.ts';
import { OffsetSet } from '../core/offset-set.ts';
import { decodeChecked, encodeChecked, readIfPresent } from './checked-json.ts';
import { fileSize, replaceFileDurable } from './durable-file.ts';
import { REPLAY_FILE, SEGMENT_SUFFIX, statePath } from './layout.ts';

export interface ReplaySegment {
  readonly file: LogFile;
  readonly number: number;
  /** Below the instance directory, without suffix. */
  readonly base: string;
  readonly records: number;
  /** Of the plain lines. */
  readonly bytes: number;
  readonly crc32c: string;
}

/** What a run made of one partition. */
interface ReplayedOffsets {
  readonly stored: readonly number[];
  /** Accepted, and below the minimum level. */
  readonly filtered: readonly number[];
}

export interface ReplayRun {
  readonly finished_at: string;
  /** At most one for each kind of file. */
  readonly segments: readonly ReplaySegment[];
  /** By `<topic>/<partition>`. */
  readonly partitions: Readonly<Record<string, ReplayedOffsets>>;
}

export interface ReplayJournal {
  readonly version: 1;
  /** The highest number of the series of each file that a run has used. */
  readonly numbers: Readonly<Partial<Record<LogFile, number>>>;
  readonly runs: readonly ReplayRun[];
}

const NO_JOURNAL: ReplayJournal = { version: 1, numbers: {}, runs: [] };

/**
 * The journal of an instance; an empty one when nothing was replayed yet.
 * @throws ServiceError FILE_CORRUPT when it is damaged
 */
export function loadReplayJournal(directory: string): ReplayJournal {
  const path = statePath(directory, REPLAY_FILE);
  const text = readIfPresent(path);
  if (text === undefined) return NO_JOURNAL;
  const journal = decodeChecked(text) as ReplayJournal | undefined;
  if (journal?.version === 1) return journal;
  throw new ServiceError(
    'FILE_CORRUPT',
    `${path} is damaged: restore it from a backup; without it nobody can tell which records of the quarantine are stored already.`,
    { path },
  );
}

/** Durable when it returns. */
export function saveReplayJournal(directory: string, journal: ReplayJournal): void {
  replaceFileDurable(statePath(directory, REPLAY_FILE), encodeChecked(journal));
}

/** Every offset that a run has dealt with, by `<topic>/<partition>`. */
export function replayedOffsets(journals: readonly ReplayJournal[]): Map<string, OffsetSet> {
  const done = new Map<string, OffsetSet>();
  for (const { runs } of journals) {
    for (const { partitions } of runs) {
      for (const [key, { stored, filtered }] of Object.entries(partitions)) {
        const set = done.get(key) ?? new OffsetSet();
        set.addAll(OffsetSet.decode(stored));
        set.addAll(OffsetSet.decode(filtered));
        done.set(key, set);
      }
    }
  }
  return done;
}

/** Paths without suffix of the segments that finished runs left plain. */
export function plainReplaySegments(directory: string): string[] {
  let journal: ReplayJournal;
  try {
    journal = loadReplayJournal(directory);
  } catch (error) {
    // For verify and the next replay to report; ingestion does not depend on it.
    if (error instanceof ServiceError) return [];
    throw error;
  }
  return journal.runs
    .flatMap(({ segments }) => segments.map(({ base }) => join(directory, base)))
    .filter((path) => fileSize(path + SEGMENT_SUFFIX.plain) !== undefined);
}
