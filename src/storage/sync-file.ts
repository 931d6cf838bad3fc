import { open } from 'node:fs/promises';
import { syncFailure } from './sync-failure.ts';

/**
 * Makes the bytes of a file durable that somebody else has written.
 * @throws ServiceError SYNC_FAILED, or the system error when it cannot be opened
 */
export async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.sync();
  } catch (error) {
    throw syncFailure(path, error);
  } finally {
    await file.close();
  }
}
