/** Waits at the start for a broker that answers. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../core/clock.ts';
import { ServiceError } from '../core/errors.ts';
import { BROKER_BACKOFF } from '../core/limits.ts';
import { Backoff } from '../resilience/backoff.ts';

/** How long a broker that does not answer is waited for. */
const BROKER_WAIT_MS = 30_000;

/**
 * Asks until there is an answer; undefined when `stopRequested` was aborted meanwhile.
 * @throws ServiceError of the last attempt after 30 s, or at once when asking again cannot help
 */
export async function askUntilAnswered<T>(
  ask: () => Promise<T>,
  clock: Clock,
  stopRequested: AbortSignal,
  onTrouble: (message: string) => void,
): Promise<T | undefined> {
  const giveUpAt = clock.monotonic() + BROKER_WAIT_MS;
  const pauses = new Backoff(BROKER_BACKOFF);
  while (!stopRequested.aborted) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof ServiceError) || !error.retryable) throw error;
      if (clock.monotonic() >= giveUpAt) throw error;
      onTrouble(error.message);
      await sleep(pauses.next(), undefined, { signal: stopRequested }).catch(ignoreAbort);
    }
  }
  return undefined;
}

function ignoreAbort(error: unknown): void {
  if (!(error instanceof Error) || error.name !== 'AbortError') throw error;
}
