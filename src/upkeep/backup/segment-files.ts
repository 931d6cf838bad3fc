/** The files of sealed segments, which are what a backup copies. */
import { relative, sep } from 'node:path';
import { ServiceError } from '../../core/errors.ts';
import type { LogFile } from '../../core/files.ts';
import { totalSize } from '../../storage/durable-file.ts';
import type { SegmentFacts } from '../../storage/facts.ts';
import { SEGMENT_SUFFIX } from '../../storage/layout.ts';
import { type ClosedSegment, closedSegments } from '../../storage/recovery.ts';
import { readSegmentFacts } from '../../storage/segment-facts.ts';

/** Facts of a segment that was compressed. */
export type SealedFacts = SegmentFacts & Required<Pick<SegmentFacts, 'sealed'>>;

/** A segment whose lines are compressed, and whose plain file is gone. */
export interface SealedSegment {
  readonly number: number;
  /** Absolute, without suffix. */
  readonly path: string;
  readonly facts: SealedFacts;
  /** Of the compressed lines, such as `.jsonl.gz`. */
  readonly data: string;
  /** All of its files in the order in which they are copied: the facts come last. */
  readonly suffixes: readonly string[];
  /** Of all files together. */
  readonly bytes: number;
}

/**
 * The sealed segments of a file above a number, oldest first.
 * @param onUnreadable called for facts that are damaged or cannot be read; their segments are left out
 */
export function sealedSegments(
  directory: string,
  file: LogFile,
  above: number,
  onUnreadable: (path: string, error: unknown) => void = () => undefined,
): SealedSegment[] {
  return closedSegments(directory, file).flatMap((segment) => {
    const { number, path, suffixes } = segment;
    const data = suffixes.find(isDataSuffix);
    const isClosed = suffixes.includes(SEGMENT_SUFFIX.facts) && !suffixes.includes(SEGMENT_SUFFIX.plain);
    if (number <= above || !isClosed || data === undefined) return [];
    try {
      const facts = readSegmentFacts(path);
      return isSealed(facts) ? [sealedSegment(segment, facts, data)] : [];
    } catch (error) {
      onUnreadable(path + SEGMENT_SUFFIX.facts, error);
      return [];
    }
  });
}

function sealedSegment(
  { number, path, suffixes }: ClosedSegment,
  facts: SealedFacts,
  data: string,
): SealedSegment {
  const others = suffixes.filter((suffix) => suffix !== SEGMENT_SUFFIX.facts && !suffix.endsWith('.tmp'));
  const ordered = [...others, SEGMENT_SUFFIX.facts];
  const bytes = totalSize(path, ordered);
  return { number, path, facts, data, suffixes: ordered, bytes };
}

/** Whether files with this suffix hold a segment's lines, compressed in whatever way. */
export function isDataSuffix(suffix: string): boolean {
  return /^\.jsonl\.[a-z0-9]+$/.test(suffix);
}

export function isSealed(facts: SegmentFacts): facts is SealedFacts {
  return facts.sealed !== undefined;
}

/** Key of a file below the output root, without the prefix: the same at every try. */
export function keyOf(root: string, path: string): string {
  return relative(root, path).replaceAll(sep, '/');
}

/** The compressed file is no longer what the sealer wrote: a copy of it would be of no use. */
export function requireSealed(
  { path, data, facts }: SealedSegment,
  found: { bytes: number; sha256: string },
): void {
  if (found.sha256 === facts.sealed.sha256 && found.bytes === facts.sealed.bytes) return;
  throw new ServiceError(
    'BACKUP_DIFFERS',
    `${path}${data} is no longer what was written when it was compressed, so it is not copied: run "log-consumer verify", and restore it.`,
    { path: path + data },
  );
}
