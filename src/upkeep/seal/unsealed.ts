/** What an earlier run of the service, or an upkeep process that died, left in the archive. */
import { rmSync } from 'node:fs';
import { LOG_FILES } from '../../core/files.ts';
import { SEAL_FORMATS } from '../../core/seal-format.ts';
import { SEGMENT_SUFFIX, TEMPORARY_SUFFIX } from '../../storage/layout.ts';
import { closedSegments } from '../../storage/recovery.ts';

/** Suffixes of half-written files. Facts are written by others, too, who replace what is left of them. */
const LEFTOVERS: ReadonlySet<string> = new Set(
  [...SEAL_FORMATS, 'columns' as const].map((name) => SEGMENT_SUFFIX[name] + TEMPORARY_SUFFIX),
);

/**
 * Paths, without suffix, of the closed segments that are not sealed, oldest first. One without facts is
 * left out: its rotation is not finished.
 */
export function unsealedSegments(directory: string): string[] {
  return LOG_FILES.flatMap((file) => closedSegments(directory, file))
    .filter(
      ({ suffixes }) => suffixes.includes(SEGMENT_SUFFIX.plain) && suffixes.includes(SEGMENT_SUFFIX.facts),
    )
    .map(({ path }) => path);
}

/** Removes what was half-done; nobody else may be sealing. */
export function removeLeftovers(directory: string): void {
  for (const { path, suffixes } of LOG_FILES.flatMap((file) => closedSegments(directory, file))) {
    for (const suffix of suffixes) {
      if (LEFTOVERS.has(suffix)) rmSync(path + suffix, { force: true });
    }
  }
}
