/**
 * Checks the files of one closed segment against what was recorded of it: the lines, plain or sealed, and
 * the columnar sidecar. A running service may seal the segment at any moment: its facts change first, and
 * the plain file goes last.
 */
import { messageOf, systemCodeOf } from '../core/errors.ts';
import { fileSize, totalSize } from '../storage/durable-file.ts';
import type { ColumnsFacts, SegmentFacts } from '../storage/facts.ts';
import { hashFile } from '../storage/file-hash.ts';
import { SEGMENT_SUFFIX } from '../storage/layout.ts';
import { fileProblems } from './file-problems.ts';
import { checkLines, type LineCheck, type LineCheckOptions } from './line-check.ts';

/** What was recorded of the lines. */
type Expected = Pick<SegmentFacts, 'records' | 'bytes' | 'crc32c'>;

export interface ClosedCheckOptions {
  /** Called at the beginning, and again when the segment was sealed meanwhile. */
  readonly readFacts: () => SegmentFacts;
  /** What the lines are held against, when that is not what the facts say. */
  readonly expected?: Expected;
  readonly lines: Pick<LineCheckOptions, 'onLine' | 'onBytes'>;
}

export interface ClosedCheck {
  /** The file that holds the lines. */
  readonly path: string;
  readonly facts: SegmentFacts;
  /** Undefined when it cannot be read. */
  readonly found: LineCheck | undefined;
  /** One sentence each. */
  readonly problems: readonly string[];
}

/**
 * @param base path of the segment without suffix
 * @throws whatever `readFacts` throws
 */
export async function checkClosed(base: string, options: ClosedCheckOptions): Promise<ClosedCheck> {
  const plain = base + SEGMENT_SUFFIX.plain;
  const isPlain = fileSize(plain) !== undefined;
  const facts = options.readFacts();
  const sealed = isPlain ? undefined : facts.sealed;
  if (!isPlain && sealed === undefined) {
    return { path: plain, facts, found: undefined, problems: [`${plain} is missing from the archive.`] };
  }
  const path = sealed === undefined ? plain : base + SEGMENT_SUFFIX[sealed.format];
  let found: LineCheck;
  try {
    found = await checkLines(path, { ...options.lines, ...(sealed === undefined ? {} : { sealed }) });
  } catch (error) {
    const wasSealed = isPlain && systemCodeOf(error) === 'ENOENT' && fileSize(plain) === undefined;
    if (wasSealed) return checkClosed(base, options);
    return { path, facts, found: undefined, problems: [`${path} cannot be read (${messageOf(error)}).`] };
  }
  const problems = fileProblems(path, found, options.expected ?? facts);
  if (sealed !== undefined && sealed.sha256 !== found.sha256) {
    problems.push(`${path} does not have the SHA-256 that was recorded when it was sealed.`);
  }
  if (sealed !== undefined && facts.columns !== undefined) {
    problems.push(...(await columnsProblems(base, facts.columns, options.lines.onBytes)));
  }
  return { path, facts, found, problems };
}

async function columnsProblems(
  base: string,
  columns: ColumnsFacts,
  onBytes: ((count: number) => void) | undefined,
): Promise<string[]> {
  const path = base + SEGMENT_SUFFIX.columns;
  try {
    const { bytes, sha256 } = await hashFile(path, onBytes);
    if (bytes === columns.bytes && sha256 === columns.sha256) return [];
    return [`${path} is not the one that was written for these lines.`];
  } catch (error) {
    return [`${path} cannot be read (${messageOf(error)}).`];
  }
}

/** Bytes that `checkClosed` will read, for the progress. */
export function bytesOfClosed(base: string): number {
  const { facts: _, ...read } = SEGMENT_SUFFIX;
  return totalSize(base, Object.values(read));
}
