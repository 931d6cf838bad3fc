/**
 * `restore.json` in a directory that is being restored: what is restored, so that a restore that broke off goes
 * on, and nothing else is ever mixed into it. It is there before the first file and goes last.
 */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { ServiceError } from '../../core/errors.ts';
import { decodeChecked, encodeChecked, readIfPresent } from '../../storage/checked-json.ts';
import {
  fileSize,
  makeDirectoryDurable,
  replaceFileDurable,
  syncDirectory,
} from '../../storage/durable-file.ts';

const MARKER_FILE = 'restore.json';

export interface RestoreMarker {
  readonly version: 1;
  /** Names the store (`targetIdentity`). */
  readonly target: string;
  readonly from: number;
  readonly to: number;
  readonly instance: string | null;
}

/**
 * Takes a directory for a restore.
 * @throws ServiceError DIRECTORY_UNUSABLE when it holds anything but the same restore, broken off
 */
export function beginRestore(directory: string, marker: RestoreMarker): void {
  const path = join(directory, MARKER_FILE);
  const text = readIfPresent(path);
  const begun = text === undefined ? undefined : decodeChecked(text);
  if (isDeepStrictEqual(begun, marker)) return;
  const names = fileSize(directory) === undefined ? [] : readdirSync(directory);
  // The first moments of a restore leave nothing but its own temporary file.
  if (names.some((name) => name !== `${MARKER_FILE}.tmp`)) {
    const what = begun === undefined ? 'is not empty' : 'holds a restore of something else that broke off';
    throw new ServiceError(
      'DIRECTORY_UNUSABLE',
      `${directory} ${what}: name a new directory, so that nothing is mixed.`,
      { directory },
    );
  }
  makeDirectoryDurable(directory);
  replaceFileDurable(path, encodeChecked(marker));
}

export function endRestore(directory: string): void {
  rmSync(join(directory, MARKER_FILE));
  syncDirectory(directory);
}
