import { messageOf, ServiceError } from '../core/errors.ts';

/**
 * The error of a failed fsync. The kernel may drop the pages of a failed fsync and report success the next
 * time, so it is never repeated on the same data (see "fsyncgate", PostgreSQL 2018), not even when the
 * reason was a full disk: whoever gets this stops.
 */
export function syncFailure(path: string, error: unknown): ServiceError {
  return new ServiceError(
    'SYNC_FAILED',
    `The disk could not make ${path} durable (${messageOf(error)}): check the disk; nothing after the last checkpoint was acknowledged, so a restart continues from there.`,
    { path },
    error,
  );
}
