/**
 * What stands beside every committed offset: whose it is, and who had the partition before. Kafka keeps
 * up to 4,096 bytes per partition (`offset.metadata.max.bytes`).
 *
 * A **tenure** is a run of offsets that one set of files holds, from where its owner took the partition up
 * to what it committed last. The tenures of a partition follow each other without gap, so a member that
 * comes back finds in them whether its own last commit was taken.
 */
export interface Tenure {
  /** Names the set of files (`directory_id` of its checkpoint). */
  readonly directoryId: string;
  /** Sequence of the checkpoint that was committed last. */
  readonly sequence: number;
  /** Offsets [from, to). */
  readonly from: number;
  readonly to: number;
}

export interface CommitMetadata {
  /** For people; a directory that was made anew keeps the name and gets another id. */
  readonly instance: string;
  readonly directoryId: string;
  readonly sequence: number;
  /** Where the present tenure began; the committed offset is where it ends. */
  readonly from: number;
  /** Tenures before the present one, newest first, as many as have room. */
  readonly before: readonly Tenure[];
}

/** Leaves room for the broker's own limit to be set lower. */
const MAX_METADATA_BYTES = 2000;

type EncodedTenure = readonly [directoryId: string, sequence: number, from: number, to: number];

export function encodeCommitMetadata({ before, ...metadata }: CommitMetadata): string {
  const { instance, directoryId, sequence, from } = metadata;
  const head = { log_consumer: 2, instance, directory: directoryId, sequence, from };
  let tenures = before.map(
    (tenure): EncodedTenure => [tenure.directoryId, tenure.sequence, tenure.from, tenure.to],
  );
  for (;;) {
    const text = JSON.stringify({ ...head, before: tenures });
    if (tenures.length === 0 || Buffer.byteLength(text) <= MAX_METADATA_BYTES) return text;
    tenures = tenures.slice(0, -1);
  }
}

/** Undefined for what other consumers commit. */
export function decodeCommitMetadata(text: string | null | undefined): CommitMetadata | undefined {
  if (text === null || text === undefined || !text.startsWith('{"log_consumer":2,')) return undefined;
  try {
    const value = JSON.parse(text) as Readonly<Record<string, unknown>>;
    const { instance, directory, sequence, from, before } = value;
    const isWhole =
      typeof instance === 'string' &&
      typeof directory === 'string' &&
      typeof sequence === 'number' &&
      typeof from === 'number' &&
      Array.isArray(before);
    if (!isWhole) return undefined;
    return { instance, directoryId: directory, sequence, from, before: before.filter(isTenure).map(decode) };
  } catch {
    // Another program may commit anything; what does not parse is not ours.
    return undefined;
  }
}

function isTenure(value: unknown): value is EncodedTenure {
  return (
    Array.isArray(value) &&
    typeof value[0] === 'string' &&
    value.length === 4 &&
    value.slice(1).every((entry) => Number.isSafeInteger(entry))
  );
}

function decode([directoryId, sequence, from, to]: EncodedTenure): Tenure {
  return { directoryId, sequence, from, to };
}

/** All tenures that a commit tells of, the present one first. */
export function tenuresOf(committed: number, metadata: CommitMetadata): Tenure[] {
  const { directoryId, sequence, from, before } = metadata;
  return [{ directoryId, sequence, from, to: committed }, ...before];
}

/** A tenure that begins or goes on. */
export type OpenTenure = Pick<CommitMetadata, 'from' | 'before'>;

/**
 * The tenure of a partition that we read on: the same one when the last commit was ours, else a new one
 * after whatever the last commit tells of.
 * @param position where our records begin that the group does not have yet, or else where we read on
 */
export function openTenure(
  directoryId: string,
  position: number,
  committed: number | undefined,
  metadata: CommitMetadata | undefined,
): OpenTenure {
  if (committed === undefined || metadata === undefined) return { from: position, before: [] };
  if (metadata.directoryId === directoryId) {
    return { from: Math.min(metadata.from, position), before: metadata.before };
  }
  const before = tenuresOf(committed, metadata).filter(({ from, to }) => to > from);
  return { from: position, before };
}
