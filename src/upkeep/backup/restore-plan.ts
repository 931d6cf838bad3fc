/**
 * Which segments a restore takes. Pure.
 *
 * Taken is every segment of service_logs with a line or a moment of its life inside the wanted time, and every
 * segment between two of these, so that numbers and offsets follow each other in the restored files too. Of the
 * other files comes what belongs to the same records: up to where they were when the last of these segments was
 * closed (`alongside` in its facts), with the beginning of the segment that was active then.
 */
import { ServiceError } from '../../core/errors.ts';
import { LOG_FILES, type LogFile } from '../../core/files.ts';
import type { FilePosition } from '../../storage/facts.ts';
import type { SealedFacts } from './segment-files.ts';
import type { StoredSegment } from './stored-segments.ts';

/** Milliseconds since the epoch, `to` exclusive. */
export interface TimeRange {
  readonly from: number;
  readonly to: number;
}

/** From the first moment that a date can name to the last. */
export const ALWAYS: TimeRange = { from: -8.64e15, to: 8.64e15 };

export interface DescribedSegment extends StoredSegment {
  readonly facts: SealedFacts;
  /** The facts as they stand in the store. */
  readonly text: string;
}

/** What is restored of one file, by number without gaps. */
interface FilePlan {
  readonly segments: readonly DescribedSegment[];
  /** Number of the active segment after them. */
  readonly next: number;
  /** What the active segment begins with. */
  readonly head?: FileHead;
}

interface FileHead {
  readonly position: FilePosition;
  /** The segment that it is the beginning of; undefined where the store has only its tail. */
  readonly segment: DescribedSegment | undefined;
}

export interface InstancePlan {
  readonly files: Readonly<Partial<Record<LogFile, FilePlan>>>;
  /** Full sentences about what belongs to the restored records and is not in the store. */
  readonly warnings: readonly string[];
}

/** What the store holds of one instance. */
export interface InstanceStock {
  /** By number. */
  readonly segments: readonly DescribedSegment[];
  readonly hasTail: (file: LogFile, number: number) => boolean;
}

/** @throws ServiceError BACKUP_DIFFERS when a segment of service_logs in between is not in the store */
export function planOf({ segments, hasTail }: InstanceStock, wanted: TimeRange): InstancePlan {
  const of = (file: LogFile): DescribedSegment[] => segments.filter((segment) => segment.file === file);
  const service = of('service_logs');
  const lines = between(
    service,
    (segment) => overlaps(linesOf(segment), wanted) || overlaps(lifeOf(segment), wanted),
  );
  const files: Partial<Record<LogFile, FilePlan>> = {};
  const warnings: string[] = [];
  for (const file of LOG_FILES) {
    const stock = of(file);
    if (file === 'service_logs') {
      if (service.length > 0) files[file] = { segments: lines, next: nextAfter(service, lines) };
      continue;
    }
    const exact = accompanying(file, service, lines, stock, hasTail);
    if (exact === undefined && lines.length > 0) {
      warnings.push(
        `The store lacks some lines of ${file} that belong to the last restored records, so the restored ${file} ends earlier.`,
      );
    }
    const plan = exact ?? byTime(stock, [wanted, ...lines.map(lifeOf)]);
    if (plan !== undefined) files[file] = plan;
  }
  return { files, warnings };
}

/** Exactly the lines of a file that belong to the restored records; undefined when some are not in the store. */
function accompanying(
  file: LogFile,
  service: readonly DescribedSegment[],
  lines: readonly DescribedSegment[],
  stock: readonly DescribedSegment[],
  hasTail: InstanceStock['hasTail'],
): FilePlan | undefined {
  const position = lines.at(-1)?.facts.alongside?.[file];
  if (position === undefined) return undefined;
  const first = firstAccompanying(file, service, lines[0]?.number ?? 1) ?? position.number;
  const segments = stock.filter(({ number }) => number >= first && number < position.number);
  const isWhole = segments.every(({ number }, index) => number === first + index);
  if (!isWhole || segments.length !== position.number - first) return undefined;
  if (position.length === 0) return { segments, next: position.number };
  const segment = stock.find(({ number }) => number === position.number);
  if (segment === undefined && !hasTail(file, position.number)) return undefined;
  return { segments, next: position.number, head: { position, segment } };
}

/** Number of the segment that was active when the first restored segment of service_logs was opened. */
function firstAccompanying(
  file: LogFile,
  service: readonly DescribedSegment[],
  first: number,
): number | undefined {
  if (first === 1) return 1;
  return service.find(({ number }) => number === first - 1)?.facts.alongside?.[file]?.number;
}

/** Where nothing better is known: what lived at the same time. */
function byTime(stock: readonly DescribedSegment[], life: readonly TimeRange[]): FilePlan | undefined {
  if (stock.length === 0) return undefined;
  const segments = between(stock, (segment) => life.some((range) => overlaps(lifeOf(segment), range)));
  return { segments, next: nextAfter(stock, segments) };
}

function nextAfter(stock: readonly DescribedSegment[], taken: readonly DescribedSegment[]): number {
  return ((taken.at(-1) ?? stock.at(-1))?.number ?? 0) + 1;
}

/** From the first that is wanted to the last, without a gap. */
function between(
  segments: readonly DescribedSegment[],
  isWanted: (segment: DescribedSegment) => boolean,
): DescribedSegment[] {
  const taken = segments.slice(segments.findIndex(isWanted), segments.findLastIndex(isWanted) + 1);
  if (!segments.some(isWanted)) return [];
  for (const [index, segment] of taken.entries()) {
    const expected = (taken[0]?.number ?? 0) + index;
    if (segment.number === expected) continue;
    const what =
      segment.number > expected
        ? `lacks segment ${expected} of ${segment.file}`
        : `holds segment ${segment.number} of ${segment.file} twice, perhaps because a restored directory was copied to the same place`;
    throw new ServiceError(
      'BACKUP_DIFFERS',
      `The store ${what}: run "log-consumer backup verify", or restore the time before and after it by --from and --to.`,
      { file: segment.file, number: expected },
    );
  }
  return taken;
}

function linesOf({ facts }: DescribedSegment): TimeRange | undefined {
  const { min_timestamp: min, max_timestamp: max } = facts.lines ?? {};
  return typeof min === 'string' && typeof max === 'string' ? spanOf(min, max) : undefined;
}

function lifeOf({ facts }: DescribedSegment): TimeRange {
  return spanOf(facts.opened_at, facts.closed_at);
}

function spanOf(first: string, last: string): TimeRange {
  return { from: Date.parse(first), to: Date.parse(last) + 1 };
}

function overlaps(range: TimeRange | undefined, wanted: TimeRange): boolean {
  return range !== undefined && range.from < wanted.to && range.to > wanted.from;
}
