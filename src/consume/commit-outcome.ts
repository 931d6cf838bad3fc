/**
 * Whether a commit of ours was taken, from what the group says of the partition later. Pure.
 *
 * Ask only once the group has a newer generation (or we are its only member and start): by then the
 * broker refuses every commit of the older one, so the answer does not change any more.
 */
import type { PartitionRange } from '../core/offsets.ts';
import { type CommitMetadata, tenuresOf } from './commit-metadata.ts';

export type CommitOutcome = 'taken' | 'refused' | 'unknown';

/** What the group says of a partition. */
export interface GroupOffset {
  readonly committed: number | undefined;
  /** Undefined when somebody else than a log consumer committed. */
  readonly metadata: CommitMetadata | undefined;
}

/** @param range what the commit with this checkpoint sequence would have added: it ends at the committed offset */
export function commitOutcome(
  range: Pick<PartitionRange, 'from' | 'to'>,
  sequence: number,
  directoryId: string,
  { committed, metadata }: GroupOffset,
): CommitOutcome {
  if (committed === undefined) return 'refused';
  if (metadata === undefined) return 'unknown';
  const tenures = tenuresOf(committed, metadata);
  const own = tenures.find((tenure) => tenure.directoryId === directoryId);
  if (own !== undefined) return own.sequence >= sequence && own.to >= range.to ? 'taken' : 'refused';
  // Others have read it from before where our records begin, so ours were never counted.
  const oldest = tenures.at(-1);
  return oldest !== undefined && oldest.from <= range.from ? 'refused' : 'unknown';
}
