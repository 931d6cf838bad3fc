/** The SHA-256 of a whole file. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';

const READ_BYTES = 1024 * 1024;

export interface FileHash {
  readonly bytes: number;
  /** In hexadecimal digits. */
  readonly sha256: string;
}

/**
 * @param onBytes called with the number of bytes just read
 * @throws the system error when the file cannot be read
 */
export async function hashFile(
  path: string,
  onBytes: (count: number) => void = () => undefined,
): Promise<FileHash> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: READ_BYTES })) {
    hash.update(chunk as Buffer);
    bytes += (chunk as Buffer).length;
    onBytes((chunk as Buffer).length);
  }
  return { bytes, sha256: hash.digest('hex') };
}
