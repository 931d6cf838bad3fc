/**
 * Waits for room on a full disk; every other failure of a write is final. Several operations can wait at
 * the same time: `blocked` is told by the first, `unblocked` by the last of them.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf, ServiceError, systemCodeOf } from '../core/errors.ts';
import { DISK_BACKOFF } from '../core/limits.ts';
import type { WriterEvent } from '../core/messages.ts';
import { Backoff } from '../resilience/backoff.ts';

export interface DiskRetryParts {
  readonly directory: string;
  readonly emit: (event: WriterEvent) => void;
  /** Throws when the operation is not wanted any more. */
  readonly mustBeWanted: () => void;
}

export class DiskRetry {
  readonly #parts: DiskRetryParts;
  #blockedOperations = 0;

  constructor(parts: DiskRetryParts) {
    this.#parts = parts;
  }

  /**
   * Tries until there is room.
   * @param what names the operation in messages
   * @throws ServiceError WRITE_FAILED for any other failure, and whatever `mustBeWanted` throws
   */
  async run(what: string, attempt: () => void | Promise<void>): Promise<void> {
    let blocked = false;
    const pauses = new Backoff(DISK_BACKOFF);
    try {
      for (;;) {
        try {
          return await attempt();
        } catch (error) {
          if (error instanceof ServiceError) throw error;
          if (!isDiskFull(error)) throw writeFailed(this.#parts.directory, what, error);
          if (!blocked) this.#enter(`${what} in ${this.#parts.directory}: ${messageOf(error)}`);
          blocked = true;
        }
        await sleep(pauses.next());
        this.#parts.mustBeWanted();
      }
    } finally {
      if (blocked) this.#leave();
    }
  }

  #enter(reason: string): void {
    if (this.#blockedOperations === 0) this.#parts.emit({ kind: 'blocked', reason });
    this.#blockedOperations += 1;
  }

  #leave(): void {
    this.#blockedOperations -= 1;
    if (this.#blockedOperations === 0) this.#parts.emit({ kind: 'unblocked' });
  }
}

function isDiskFull(error: unknown): boolean {
  const code = systemCodeOf(error);
  return code === 'ENOSPC' || code === 'EDQUOT';
}

function writeFailed(directory: string, what: string, error: unknown): ServiceError {
  return new ServiceError(
    'WRITE_FAILED',
    `The ${what} in ${directory} failed (${messageOf(error)}): check the disk and its mount; nothing after the last checkpoint was acknowledged, so a restart continues from there.`,
    { directory },
    error,
  );
}
