/**
 * What must hold between the settings of `backup`. A setting that would have no effect is an error: somebody
 * who names a key believes that the copies are encrypted with it.
 */
import { isLoopback } from '../core/kafka-security.ts';
import type { Settings } from './schema.ts';
import { Section } from './section.ts';
import type { Path } from './tree.ts';

type Backup = Settings['backup'];

const ADDRESS = ['prefix', 'endpoint'];
const LOGIN = ['access_key_id', 'secret_access_key', 'session_token'];

/** Sentences without a full stop; the values of `brokenKeys` are not the ones that somebody wrote. */
export function backupProblems(
  backup: Backup,
  brokenKeys: ReadonlySet<string>,
  originOf: (path: Path) => string,
): string[] {
  const section = new Section(backup, 'backup', brokenKeys, originOf);
  if (!section.isKnown('bucket')) return [];
  if (backup.bucket === '') {
    return section.needless([...ADDRESS, ...LOGIN, 'kms_key_id'], 'backup.bucket is not');
  }
  return [...loginProblems(section), ...encryptionProblems(backup, section)];
}

function loginProblems(section: Section): string[] {
  if (section.isSet('access_key_id')) {
    return section.missing(['secret_access_key'], 'backup.access_key_id is of no use without it');
  }
  return section.needless(['secret_access_key', 'session_token'], 'backup.access_key_id is not');
}

function encryptionProblems({ encryption }: Backup, section: Section): string[] {
  if (!section.isKnown('encryption') || encryption === 'aws:kms') return [];
  return section.needless(['kms_key_id'], `has no effect with the encryption ${encryption}`);
}

/** Node.js has a variable that turns verification off for a whole process: nobody may do that by accident. */
export function backupVerificationProblems(
  { bucket, endpoint }: Backup,
  env: Readonly<Record<string, string | undefined>>,
): string[] {
  const isEncrypted = bucket !== '' && !endpoint.startsWith('http:');
  if (env['NODE_TLS_REJECT_UNAUTHORIZED'] !== '0' || !isEncrypted) return [];
  return [
    'environment variable NODE_TLS_REJECT_UNAUTHORIZED is 0, which turns the verification of certificates off; remove it, and name the authority of backup.endpoint in NODE_EXTRA_CA_CERTS',
  ];
}

/** Full sentences about what others can read on the way. */
export function backupWarnings({ bucket, endpoint }: Backup): string[] {
  if (bucket === '' || !endpoint.startsWith('http:') || isLoopback(new URL(endpoint).hostname)) return [];
  return ['backup.endpoint is http: the logs travel in the clear.'];
}
