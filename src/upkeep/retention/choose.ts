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

/** What may go of each file, oldest first. */
export type Candidates = Readonly<Record<LogFile, readonly Candidate[]>>;

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
  const heads = new Map(LOG_FILES.map((file) => [file, 0]));
  const segments: Candidate[] = [];
  let lackingBytes = bytesToFree;
  const take = (candidate: Candidate): void => {
    heads.set(candidate.file, (heads.get(candidate.file) ?? 0) + 1);
    segments.push(candidate);
    lackingBytes -= candidate.bytes;
  };
  const next = (): Candidate | undefined =>
    LOG_FILES.flatMap((file) => candidates[file][heads.get(file) ?? 0] ?? []).toSorted(
      (left, right) => expiry(left, maxAgeMs) - expiry(right, maxAgeMs) || left.closedAtMs - right.closedAtMs,
    )[0];
  for (let candidate = next(); candidate !== undefined; candidate = next()) {
    if (lackingBytes <= 0 && expiry(candidate, maxAgeMs) > nowMs) break;
    take(candidate);
  }
  return { segments, lackingBytes: Math.max(0, lackingBytes) };
}

function expiry({ file, closedAtMs }: Candidate, maxAgeMs: RetentionPolicy['maxAgeMs']): number {
  const age = maxAgeMs[file];
  return age === null ? Number.MAX_VALUE : closedAtMs + age;
}
