/** Everything the service stored of one kind of file: the closed segments in order, then the active file. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { LogFile } from '../../src/core/files.ts';
import { loadCheckpoint } from '../../src/storage/checkpoint.ts';
import { activePath, SEGMENT_SUFFIX } from '../../src/storage/layout.ts';
import { closedSegments } from '../../src/storage/recovery.ts';

/** All lines, the last of a file also when it is torn. Bytes beyond the checkpoint do not count. */
export function storedLines(directory: string, file: LogFile): string[] {
  const length = loadCheckpoint(directory)?.checkpoint.files[file]?.length ?? 0;
  const parts = closedSegments(directory, file).map(({ path, suffixes }) =>
    suffixes.includes(SEGMENT_SUFFIX.plain)
      ? readFileSync(path + SEGMENT_SUFFIX.plain)
      : gunzipSync(readFileSync(path + SEGMENT_SUFFIX.gzip)),
  );
  if (length > 0) parts.push(readFileSync(activePath(directory, file)).subarray(0, length));
  return parts.flatMap((part) => {
    const lines = part.toString().split('\n');
    return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
  });
}
