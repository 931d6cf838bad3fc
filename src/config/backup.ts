/** From the section `backup` as written to what a copy is made with. */
import type { BackupCredentials, BackupEncryption, BackupTarget } from '../core/backup-target.ts';
import type { Settings } from './schema.ts';

type Backup = Settings['backup'];

/** Null when no bucket is set. What backup-relations.ts refuses does not arrive here. */
export function backupFrom(backup: Backup): BackupTarget | null {
  if (backup.bucket === '') return null;
  return {
    bucket: backup.bucket,
    prefix: backup.prefix,
    endpoint: backup.endpoint === '' ? null : backup.endpoint.replace(/\/$/, ''),
    region: backup.region,
    pathStyle: backup.addressing === 'auto' ? backup.endpoint !== '' : backup.addressing === 'path',
    credentials: credentialsFrom(backup),
    encryption: encryptionFrom(backup),
    storageClass: backup.storage_class === 'STANDARD' ? null : backup.storage_class,
    partBytes: backup.part_size,
    concurrency: backup.concurrency,
    requestTimeoutMs: backup.request_timeout,
  };
}

function credentialsFrom(backup: Backup): BackupCredentials | null {
  if (backup.access_key_id === '') return null;
  return {
    accessKeyId: backup.access_key_id,
    secretAccessKey: backup.secret_access_key,
    sessionToken: backup.session_token === '' ? null : backup.session_token,
  };
}

function encryptionFrom({ encryption, kms_key_id: keyId }: Backup): BackupEncryption | null {
  if (encryption === 'none') return null;
  return { algorithm: encryption, keyId: keyId === '' ? null : keyId };
}
