/** What stands beside every committed offset, so that a later reader of the group's offsets knows whose
 * it is: Kafka keeps up to 4,096 bytes per partition (`offset.metadata.max.bytes`). */
export interface CommitMetadata {
  readonly instance: string;
  /** Sequence of the checkpoint that made the offset durable. */
  readonly sequence: number;
  /** The offset at which this tenure of the partition began. */
  readonly tenure: number;
}

export function encodeCommitMetadata(metadata: CommitMetadata): string {
  return JSON.stringify({ log_consumer: 1, ...metadata });
}

/** Undefined for what other consumers commit. */
export function decodeCommitMetadata(text: string | null | undefined): CommitMetadata | undefined {
  if (text === null || text === undefined || !text.startsWith('{"log_consumer":1,')) return undefined;
  try {
    const value = JSON.parse(text) as Partial<CommitMetadata>;
    const { instance, sequence, tenure } = value;
    if (typeof instance !== 'string' || typeof sequence !== 'number' || typeof tenure !== 'number') {
      return undefined;
    }
    return { instance, sequence, tenure };
  } catch {
    // Another program may commit anything; what does not parse is not ours.
    return undefined;
  }
}
