/** Finds out whether a store can be reached, written and read, before anything depends on it. */
import { ServiceError } from '../../core/errors.ts';
import { putConfirmed } from './confirmed-put.ts';
import { textContent } from './object-digest.ts';
import type { ObjectStore } from './object-store.ts';

const TRIAL_KEY = 'log-consumer-check';

/** @throws ServiceError that says what is wrong */
export async function tryStore(store: ObjectStore, signal: AbortSignal): Promise<void> {
  const key = store.prefix + TRIAL_KEY;
  await store.list(key, signal)[Symbol.asyncIterator]().next();
  await putConfirmed(store, key, textContent(`${new Date().toISOString()}\n`), false, signal);
  try {
    await store.remove(key, signal);
  } catch (error) {
    // Credentials that may not delete are enough.
    if (!(error instanceof ServiceError) || error.retryable) throw error;
  }
}
