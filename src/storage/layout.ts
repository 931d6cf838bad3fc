/**
 * Where everything lies below the output directory. Both the write side and the readers know files
 * only through these names.
 *
 *   service_logs.jsonl ...                                              active files
 *   archive/service_logs/date=2026-11-23/service_logs-<time>-<number>.jsonl[.gz|.zst|.lz4]|.parquet|.meta.json
 *   state/checkpoint.json, checkpoint.prev.json, checkpoint.json.tmp, lock, owner.json, upkeep.lock, upkeep/
 *
 * `<time>` is when the segment was closed (UTC, basic ISO 8601 with milliseconds); `<number>` counts
 * the segments of one file kind from 1 without gaps, so names stay unique and ordered even when the
 * clock jumps.
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
  const iso = new Date(closedAtMs).toISOString();
  const time = `${iso.slice(0, 10).replaceAll('-', '')}T${iso.slice(11, 19).replaceAll(':', '')}${iso.slice(19)}`;
  const name = `${file}-${time}-${String(number).padStart(8, '0')}`;
  return `${ARCHIVE_DIRECTORY}/${file}/date=${iso.slice(0, 10)}/${name}`;
}

export interface SegmentName {
  readonly file: string;
  readonly number: number;
  /** The file's name without suffix. */
  readonly base: string;
  readonly suffix: string;
}

const SEGMENT_NAME = /^(([a-z_]+)-\d{8}T\d{6}\.\d{3}Z-(\d{8,}))(\..+)$/;

/** Takes a file name of the archive apart; undefined when it is not one of ours. */
export function parseSegmentName(name: string): SegmentName | undefined {
  const match = SEGMENT_NAME.exec(name);
  if (match === null) return undefined;
  const [, base = '', file = '', number = '', suffix = ''] = match;
  return { file, number: Number(number), base, suffix };
}
