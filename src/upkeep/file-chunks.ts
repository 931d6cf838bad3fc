import { read as readWithCallback } from 'node:fs';
import { promisify } from 'node:util';

const read = promisify(readWithCallback);

const READ_BYTES = 1024 * 1024;

/**
 * Yields the bytes of an open file from `start` to `end`, or to its end. Reads by position, so that the
 * descriptor can serve others too.
 */
export async function* fileChunks(
  descriptor: number,
  start = 0,
  end = Number.POSITIVE_INFINITY,
): AsyncGenerator<Buffer> {
  for (let position = start; position < end; ) {
    const wanted = Math.min(READ_BYTES, end - position);
    const { bytesRead, buffer } = await read(descriptor, Buffer.allocUnsafe(wanted), 0, wanted, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}
