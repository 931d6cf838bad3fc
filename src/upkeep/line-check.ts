/** Reads a file of lines once and says what it holds, without keeping it in memory. */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { extendChecksum, formatChecksum } from '../storage/checksum.ts';
import { fileChunks } from './file-chunks.ts';
import { type Members, sealedLines } from './seal/sealed-lines.ts';

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

/** What to read. */
export interface LineSource {
  /** For a sealed file, what its facts say. */
  readonly sealed?: Members;
  /** Plain bytes to read from the start; all of them when undefined. */
  readonly length?: number;
  /** An open file to read instead of opening the path; it stays open. */
  readonly descriptor?: number;
}

export interface LineCheckOptions extends LineSource {
  /** Called with every whole line, without its newline. */
  readonly onLine?: (line: Buffer) => void;
  /** Called with the number of bytes just read, as they lie in the file. */
  readonly onBytes?: (count: number) => void;
}

const NEWLINE = 0x0a;

/** @throws the system or zlib error when the file cannot be read or does not decompress */
export async function checkLines(path: string, options: LineCheckOptions): Promise<LineCheck> {
  const checker = new LineChecker(options);
  if (options.descriptor !== undefined) await readPlain(checker, options.descriptor, options.length);
  else await readFile(checker, path, options);
  return checker.result();
}

async function readPlain(checker: LineChecker, descriptor: number, length?: number): Promise<void> {
  for await (const chunk of fileChunks(descriptor, 0, length)) {
    checker.addStored(chunk);
    checker.add(chunk);
  }
}

async function readFile(checker: LineChecker, path: string, options: LineSource): Promise<void> {
  const file = await open(path);
  try {
    if (options.sealed === undefined) return await readPlain(checker, file.fd, options.length);
    const onStored = (bytes: Buffer): void => checker.addStored(bytes);
    for await (const lines of sealedLines(file.fd, options.sealed, { onStored })) checker.add(lines);
  } finally {
    await file.close();
  }
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
    this.#options.onBytes?.(chunk.length);
  }

  /** Plain bytes. */
  add(chunk: Buffer): void {
    this.#crc = extendChecksum(this.#crc, chunk);
    this.#bytes += chunk.length;
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
