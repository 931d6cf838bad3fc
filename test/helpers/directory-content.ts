/** What the log files of a directory hold, closed and active, joined in order. */
import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { LOG_FILES, type LogFile } from '../../src/core/files.ts';
import { activePath, SEGMENT_SUFFIX } from '../../src/storage/layout.ts';
import { closedSegments } from '../../src/storage/recovery.ts';

/** All lines of one kind of file. */
export function contentOf(directory: string, file: LogFile): string {
  const closed = closedSegments(directory, file).map(({ path, suffixes }) =>
    suffixes.includes(SEGMENT_SUFFIX.plain)
      ? readFileSync(path + SEGMENT_SUFFIX.plain, 'utf8')
      : gunzipSync(readFileSync(path + SEGMENT_SUFFIX.gzip)).toString(),
  );
  const active = activePath(directory, file);
  return [...closed, existsSync(active) ? readFileSync(active, 'utf8') : ''].join('');
}

/** All lines of all kinds of file. */
export function contentsOf(directory: string): Record<LogFile, string> {
  const contents = LOG_FILES.map((file) => [file, contentOf(directory, file)] as const);
  return Object.fromEntries(contents) as Record<LogFile, string>;
}
