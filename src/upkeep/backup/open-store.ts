/** Opens the store of a backup; only then the package that speaks to it is loaded. */
import type { BackupTarget } from '../../core/backup-target.ts';
import type { ObjectStore } from './object-store.ts';

/** Tries of one request within a try of a file. */
const MAX_ATTEMPTS = 3;

export async function openStore(target: BackupTarget, maxAttempts = MAX_ATTEMPTS): Promise<ObjectStore> {
  const { S3Store } = await import('./s3-store.ts');
  return new S3Store(target, { maxAttempts });
}
