/**
 * Which segments a restore takes. Pure.
 *
 * Taken is every segment with a line or a moment of its life inside the wanted time, and every segment
 * between two of these, so that numbers and offsets follow each other in the restored files too.
 */
import { ServiceError } from '../../core/errors.ts';
import { LOG_FILES, type LogFile } from '../../core/files.ts';
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
  /** Number that the next segment gets. */
  readonly next: number;
}

export type InstancePlan = Readonly<Partial<Record<LogFile, FilePlan>>>;

/**
 * @param segments of one instance, by number
 * @throws ServiceError BACKUP_DIFFERS when a segment in between is not in the store
 */
export function planOf(segments: readonly DescribedSegment[], wanted: TimeRange): InstancePlan {
  const of = (file: LogFile): DescribedSegment[] => segments.filter((segment) => segment.file === file);
  const lines = between(
    of('service_logs'),
    (segment) => overlaps(linesOf(segment), wanted) || overlaps(lifeOf(segment), wanted),
  );
  // The other files hold the same records, or those that came with them.
  const life = [wanted, ...lines.map(lifeOf)];
  const plans = LOG_FILES.map((file): [LogFile, FilePlan | undefined] => {
    const all = of(file);
    const last = all.at(-1);
    if (last === undefined) return [file, undefined];
    const taken =
      file === 'service_logs'
        ? lines
        : between(all, (segment) => life.some((range) => overlaps(lifeOf(segment), range)));
    return [file, { segments: taken, next: (taken.at(-1) ?? last).number + 1 }];
  });
  return Object.fromEntries(plans.filter(([, plan]) => plan !== undefined));
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
