/**
 * Where everything lies below the output directory. Both the write side and the readers know files
 * only through these names.
 *
 *   service_logs.jsonl ...                                              active files
 *   archive/service_logs/date=2026-11-23/service_logs-<time>-<number>.jsonl[.gz|.zst|.lz4]|.parquet|.meta.json
 *   archive/service_logs/date=2026-11-23/service_logs-<time>-r<number>.jsonl...                  of a replay
 *   state/checkpoint.json, checkpoint.prev.json, checkpoint.json.tmp, lock, owner.json, upkeep.lock, upkeep/
 *   state/replay.json, replay.lock, replay-owner.json, dead-letter.json
 *
 * `<time>` is when the segment was closed (UTC, basic ISO 8601 with milliseconds); `<number>` counts
 * the segments of one file kind from 1 without gaps, so names stay unique and ordered even when the
 * clock jumps. Segments of a replay are a series of their own with the letter `r`: they belong to the files
 * only once `state/replay.json` lists them, and their `<time>` is when their run began.
 */
import { join } from 'node:path';
import { activeFileName, type LogFile } from '../core/files.ts';

export const INSTANCES_DIRECTORY = 'instances';
export const STATE_DIRECTORY = 'state';
export const ARCHIVE_DIRECTORY = 'archive';
export const CHECKPOINT_FILE = 'checkpoint.json';
export const CHECKPOINT_PREVIOUS_FILE = 'checkpoint.prev.json';
export const CHECKPOINT_TEMPORARY_FILE = 'checkpoint.json.tmp';
/** Below the state: what the upkeep process puts down while it works, of no worth afterwards. */
export const UPKEEP_DIRECTORY = 'upkeep';
export const UPKEEP_LOCK = 'upkeep.lock';
export const REPLAY_FILE = 'replay.json';
export const DEAD_LETTER_FILE = 'dead-letter.json';

/** Suffixes of what belongs to one sealed segment, after its base name. */
export const SEGMENT_SUFFIX = {
  plain: '.jsonl',
  gzip: '.jsonl.gz',
  zstd: '.jsonl.zst',
  lz4: '.jsonl.lz4',
  columns: '.parquet',
  facts: '.meta.json',
} as const;

/** What a file has at the end of its name while it is being written beside its place. */
export const TEMPORARY_SUFFIX = '.tmp';

/** The directory of one instance: the root itself, or `instances/<id>` when several share a root. */
export function instanceDirectory(root: string, instanceId: string): string {
  return instanceId === '' ? root : join(root, INSTANCES_DIRECTORY, instanceId);
}

export function activePath(directory: string, file: LogFile): string {
  return join(directory, activeFileName(file));
}

export function statePath(directory: string, name: string): string {
  return join(directory, STATE_DIRECTORY, name);
}

/** Path of a closed segment below the instance directory, without suffix, `/` separated. */
export function segmentBaseName(file: LogFile, number: number, closedAtMs: number): string {
  return baseName(file, numberText(number), closedAtMs);
}

/** The same for a segment of a replay. */
export function replaySegmentBaseName(file: LogFile, number: number, begunAtMs: number): string {
  return baseName(file, `r${numberText(number)}`, begunAtMs);
}

function baseName(file: LogFile, ending: string, timeMs: number): string {
  const iso = new Date(timeMs).toISOString();
  const time = `${iso.slice(0, 10).replaceAll('-', '')}T${iso.slice(11, 19).replaceAll(':', '')}${iso.slice(19)}`;
  return `${ARCHIVE_DIRECTORY}/${file}/date=${iso.slice(0, 10)}/${file}-${time}-${ending}`;
}

function numberText(number: number): string {
  return String(number).padStart(8, '0');
}

export interface SegmentName {
  readonly file: string;
  readonly number: number;
  /** The file's name without suffix. */
  readonly base: string;
  readonly suffix: string;
}

const SEGMENT_NAME = /^(([a-z_]+)-\d{8}T\d{6}\.\d{3}Z-(\d{8,}))(\..+)$/;
const REPLAY_SEGMENT_NAME = /^(([a-z_]+)-\d{8}T\d{6}\.\d{3}Z-r(\d{8,}))(\..+)$/;

/** Takes a file name of the archive apart; undefined when it is not one of the numbered segments. */
export function parseSegmentName(name: string): SegmentName | undefined {
  return parsed(SEGMENT_NAME.exec(name));
}

/** The same for a segment of a replay; undefined for any other. */
export function parseReplaySegmentName(name: string): SegmentName | undefined {
  return parsed(REPLAY_SEGMENT_NAME.exec(name));
}

function parsed(match: RegExpExecArray | null): SegmentName | undefined {
  if (match === null) return undefined;
  const [, base = '', file = '', number = '', suffix = ''] = match;
  return { file, number: Number(number), base, suffix };
}
