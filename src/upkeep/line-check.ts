/** Reads a file of lines once and says what it holds, without keeping it in memory. */
import { createHash } from 'node:crypto';
import { createReadStream, type ReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { extendChecksum, formatChecksum } from '../storage/checksum.ts';

export interface LineCheck {
  /** Plain bytes. */
  readonly bytes: number;
  readonly lines: number;
  readonly crc32c: string;
  /** SHA-256 of the file as it lies on the disk, compressed or not, up to where it was read. */
  readonly sha256: string;
  /** Lines that are not `{...}`, counted; a JSON object never looks otherwise. */
  readonly malformed: number;
  /** Bytes after the last newline. */
  readonly torn: number;
}

export interface LineCheckOptions {
  readonly gzip: boolean;
  /** Plain bytes to read from the start; all of them when undefined. */
  readonly length?: number;
  /** Called with every whole line, without its newline. */
  readonly onLine?: (line: Buffer) => void;
  /** Called with the number of plain bytes just read. */
  readonly onBytes?: (count: number) => void;
}

const READ_BYTES = 1024 * 1024;
const NEWLINE = 0x0a;

/** @throws the system or zlib error when the file cannot be read or is not gzip */
export async function checkLines(path: string, options: LineCheckOptions): Promise<LineCheck> {
  const checker = new LineChecker(options);
  if (options.length === 0) return checker.result();
  const plainEnd = !options.gzip && options.length !== undefined ? { end: options.length - 1 } : {};
  const file = createReadStream(path, { highWaterMark: READ_BYTES, ...plainEnd });
  try {
    await readInto(checker, file, options.gzip);
  } finally {
    // Damaged gzip data ends the reading early.
    file.destroy();
  }
  return checker.result();
}

async function readInto(checker: LineChecker, file: ReadStream, gzip: boolean): Promise<void> {
  file.on('data', (chunk) => checker.addStored(chunk as Buffer));
  if (!gzip) {
    for await (const chunk of file) checker.add(chunk as Buffer);
    return;
  }
  const gunzip = createGunzip({ chunkSize: READ_BYTES });
  file.on('error', (error) => gunzip.destroy(error));
  for await (const chunk of file.pipe(gunzip)) checker.add(chunk as Buffer);
}

class LineChecker {
  readonly #options: LineCheckOptions;
  readonly #hash = createHash('sha256');
  #bytes = 0;
  #lines = 0;
  #crc = 0;
  #malformed = 0;
  /** Parts of a line that goes on in the next chunk. */
  #rest: Buffer[] = [];

  constructor(options: LineCheckOptions) {
    this.#options = options;
  }

  /** Bytes as they lie in the file. */
  addStored(chunk: Buffer): void {
    this.#hash.update(chunk);
  }

  /** Plain bytes. */
  add(chunk: Buffer): void {
    this.#crc = extendChecksum(this.#crc, chunk);
    this.#bytes += chunk.length;
    this.#options.onBytes?.(chunk.length);
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      this.#line(chunk.subarray(start, end));
      start = end + 1;
    }
    if (start < chunk.length) this.#rest.push(Buffer.from(chunk.subarray(start)));
  }

  result(): LineCheck {
    return {
      bytes: this.#bytes,
      lines: this.#lines,
      crc32c: formatChecksum(this.#crc),
      sha256: this.#hash.digest('hex'),
      malformed: this.#malformed,
      torn: this.#rest.reduce((sum, part) => sum + part.length, 0),
    };
  }

  #line(end: Buffer): void {
    const line = this.#rest.length === 0 ? end : Buffer.concat([...this.#rest, end]);
    this.#rest = [];
    this.#lines += 1;
    if (line[0] !== 0x7b || line[line.length - 1] !== 0x7d) this.#malformed += 1;
    this.#options.onLine?.(line);
  }
}
