/**
 * Which segments go: pure. Of each file the oldest go first, and none is left between (the ledger of
 * storage/retention-ledger.ts speaks of a beginning of each file only).
 *
 * Room is made by what would go next anyway: the segment whose age reaches its limit first. Those that are
 * kept for ever come last, oldest first.
 */
import { LOG_FILES, type LogFile } from '../../core/files.ts';
import type { RetentionPolicy } from '../../core/retention-policy.ts';

export interface Candidate {
  readonly file: LogFile;
  readonly number: number;
  /** Path without suffix. */
  readonly path: string;
  readonly closedAtMs: number;
  /** Of everything that belongs to it. */
  readonly bytes: number;
}

/** What may go of each file, oldest first; no more of them is asked for than has to be known. */
export type Candidates = Readonly<Record<LogFile, Iterable<Candidate>>>;

export interface Choice {
  readonly segments: readonly Candidate[];
  /** Bytes that should have been freed and could not. */
  readonly lackingBytes: number;
}

/** @param bytesToFree beyond what goes for its age, which counts */
export function chooseSegments(
  candidates: Candidates,
  { maxAgeMs }: Pick<RetentionPolicy, 'maxAgeMs'>,
  nowMs: number,
  bytesToFree: number,
): Choice {
  const heads = LOG_FILES.map((file) => new Head(candidates[file]));
  const segments: Candidate[] = [];
  let lackingBytes = bytesToFree;
  for (;;) {
    const [first] = heads
      .flatMap((head) => (head.candidate === undefined ? [] : [{ head, candidate: head.candidate }]))
      .toSorted(
        ({ candidate: left }, { candidate: right }) =>
          expiry(left, maxAgeMs) - expiry(right, maxAgeMs) || left.closedAtMs - right.closedAtMs,
      );
    if (first === undefined) break;
    const { head, candidate } = first;
    if (lackingBytes <= 0 && expiry(candidate, maxAgeMs) > nowMs) break;
    segments.push(candidate);
    lackingBytes -= candidate.bytes;
    head.advance();
  }
  return { segments, lackingBytes: Math.max(0, lackingBytes) };
}

/** The oldest candidate of a file that was not chosen yet. */
class Head {
  candidate: Candidate | undefined;
  readonly #rest: Iterator<Candidate>;

  constructor(candidates: Iterable<Candidate>) {
    this.#rest = candidates[Symbol.iterator]();
    this.advance();
  }

  advance(): void {
    const next = this.#rest.next();
    this.candidate = next.done === true ? undefined : next.value;
  }
}

function expiry({ file, closedAtMs }: Candidate, maxAgeMs: RetentionPolicy['maxAgeMs']): number {
  const age = maxAgeMs[file];
  return age === null ? Number.MAX_VALUE : closedAtMs + age;
}
