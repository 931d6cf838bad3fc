/** One file of a restore: it gets its name after its bytes were checked and are durable. */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { ServiceError } from '../../core/errors.ts';
import { fileSize, renameDurable } from '../../storage/durable-file.ts';
import { hashFile } from '../../storage/file-hash.ts';
import { syncFailure } from '../../storage/sync-failure.ts';
import type { Expected, ObjectStore } from './object-store.ts';

/**
 * Brings one object back, unless a try before has done so already. Its folder has to exist.
 * @returns the bytes that were fetched
 * @throws ServiceError BACKUP_DIFFERS when the object is missing or is not what was copied
 */
export async function restoreFile(
  store: ObjectStore,
  key: string,
  path: string,
  expected: Expected,
  signal: AbortSignal,
): Promise<number> {
  if (await isThere(path, expected)) return 0;
  const temporary = `${path}.tmp`;
  const found = await fetchTo(store, key, temporary, signal);
  if (found.bytes !== expected.bytes || found.sha256 !== expected.sha256) {
    throw new ServiceError(
      'BACKUP_DIFFERS',
      `${key} in ${store.name} is not what was copied (SHA-256 ${found.sha256}, ${expected.sha256} recorded): run "log-consumer backup verify --deep"; an older version may be left in the store.`,
      { key },
    );
  }
  renameDurable(temporary, path);
  return found.bytes;
}

async function isThere(path: string, { bytes, sha256 }: Expected): Promise<boolean> {
  if (fileSize(path) !== bytes) return false;
  return (await hashFile(path)).sha256 === sha256;
}

async function fetchTo(
  store: ObjectStore,
  key: string,
  temporary: string,
  signal: AbortSignal,
): Promise<Expected> {
  const body = await store.read(key, signal);
  if (body === undefined) {
    throw new ServiceError(
      'BACKUP_DIFFERS',
      `${key} is missing in ${store.name}: run "log-consumer backup verify".`,
      {
        key,
      },
    );
  }
  const hash = createHash('sha256');
  let bytes = 0;
  const file = await open(temporary, 'w');
  try {
    for await (const chunk of body) {
      hash.update(chunk);
      bytes += chunk.length;
      await file.writeFile(chunk);
    }
    await file.sync().catch((error: unknown) => {
      throw syncFailure(temporary, error);
    });
  } finally {
    await file.close();
  }
  return { bytes, sha256: hash.digest('hex') };
}
