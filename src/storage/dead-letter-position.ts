/**
 * `state/dead-letter.json`: up to where the quarantine was sent to the dead-letter topic. Replaced
 * atomically, after the topic has acknowledged everything before it.
 */
import { ServiceError } from '../core/errors.ts';
import { decodeChecked, encodeChecked, readIfPresent } from './checked-json.ts';
import { replaceFileDurable } from './durable-file.ts';
import { DEAD_LETTER_FILE, statePath } from './layout.ts';

export interface DeadLetterPosition {
  readonly version: 1;
  /** Number of the segment of the quarantine. */
  readonly segment: number;
  /** Plain bytes of it that were sent: whole lines. */
  readonly offset: number;
  /** The line that ends there; after a roll-back the file holds another one. */
  readonly last: { readonly bytes: number; readonly crc32c: string } | null;
}

const BEGINNING: DeadLetterPosition = { version: 1, segment: 1, offset: 0, last: null };

/** @throws ServiceError FILE_CORRUPT when it is damaged */
export function loadDeadLetterPosition(directory: string): DeadLetterPosition {
  const path = statePath(directory, DEAD_LETTER_FILE);
  const text = readIfPresent(path);
  if (text === undefined) return BEGINNING;
  const position = decodeChecked(text) as DeadLetterPosition | undefined;
  if (position?.version === 1) return position;
  throw new ServiceError(
    'FILE_CORRUPT',
    `${path} is damaged: remove it to have the whole quarantine sent to the dead-letter topic again, or restore it from a backup.`,
    { path },
  );
}

/** Durable when it returns. */
export function saveDeadLetterPosition(directory: string, position: DeadLetterPosition): void {
  replaceFileDurable(statePath(directory, DEAD_LETTER_FILE), encodeChecked(position));
}
