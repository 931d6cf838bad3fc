/** Counts lines of plain and gzip files. */
import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';

const LINE_FEED = 10;
const READ_BYTES = 1 << 20;

export async function countLines(path: string): Promise<number> {
  const file = createReadStream(path, { highWaterMark: READ_BYTES });
  const bytes: AsyncIterable<Buffer> = path.endsWith('.gz') ? file.pipe(createGunzip()) : file;
  let lines = 0;
  for await (const chunk of bytes) {
    for (let at = chunk.indexOf(LINE_FEED); at !== -1; at = chunk.indexOf(LINE_FEED, at + 1)) lines += 1;
  }
  return lines;
}
