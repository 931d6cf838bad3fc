/**
 * `state/backup.json`: which closed segments are in the store of the backup.
 *
 * Invariants
 * - `confirmed: N` of a file means: every segment up to number N that was in the archive when it was its turn
 *   is in the store, all its files, and the store itself has computed their checksums or gave their bytes back.
 *   Segments that retention removed before a backup was configured were never in its turn.
 * - It speaks of one place only, named by `target`. For another place nothing is confirmed.
 * - It is replaced durably after the store has confirmed, so a crash can only make it say too little.
 *
 * Format (version 1): JSON with a checksum as its last key (checked-json.ts). A file that is missing or damaged
 * confirms nothing: the copies are then looked at again, and only what is missing is sent.
 */
import { LOG_FILES, type LogFile } from '../core/files.ts';
import { decodeChecked, encodeChecked, readIfPresent } from './checked-json.ts';
import { replaceFileDurable } from './durable-file.ts';
import { statePath } from './layout.ts';

const BACKUP_FILE = 'backup.json';

/** Number of the newest segment of each file up to which all are in the store; 0 for none. */
export type Confirmed = Readonly<Record<LogFile, number>>;

interface BackupState {
  readonly version: 1;
  /** Names the place (`targetIdentity`). */
  readonly target: string;
  readonly confirmed: Partial<Confirmed>;
  readonly gone: Partial<Confirmed>;
}

/** How far the copies of an instance are. */
export interface BackupProgress {
  readonly confirmed: Confirmed;
  /** Segments up to this number were removed before the first backup, so nobody has to find them in the store. */
  readonly gone: Confirmed;
}

/**
 * How far the segments of an instance are in a store. Whoever deletes segments must not go beyond.
 * @param target `targetIdentity` of the configured place
 */
export function confirmedThrough(directory: string, target: string): Confirmed {
  return readBackupProgress(directory, target).confirmed;
}

/** @param target `targetIdentity` of the configured place */
export function readBackupProgress(directory: string, target: string): BackupProgress {
  const text = readIfPresent(statePath(directory, BACKUP_FILE));
  const state = text === undefined ? undefined : (decodeChecked(text) as BackupState | undefined);
  const isOurs = state?.version === 1 && state.target === target;
  return { confirmed: complete(isOurs ? state.confirmed : {}), gone: complete(isOurs ? state.gone : {}) };
}

/** Replaces the state durably. */
export function writeBackupProgress(directory: string, target: string, progress: BackupProgress): void {
  const state: BackupState = { version: 1, target, ...progress };
  replaceFileDurable(statePath(directory, BACKUP_FILE), encodeChecked(state));
}

function complete(numbers: Partial<Confirmed>): Confirmed {
  return Object.fromEntries(LOG_FILES.map((file) => [file, numbers[file] ?? 0])) as Confirmed;
}
