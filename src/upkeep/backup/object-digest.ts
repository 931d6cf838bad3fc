/**
 * The checksums of an object, computed here before a byte travels. A store computes the same from what
 * arrives, refuses anything else, and keeps its result.
 *
 * An object of up to one part has the SHA-256 of its bytes. Of a larger one a store keeps the SHA-256 of its
 * parts' hashes, with `-<parts>` behind it. Since that says nothing without the size of the parts, the
 * metadata of such an object keeps both hashes.
 */
import { createHash, type Hash } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { Content, Expected, ObjectDigest, StoredObject } from './object-store.ts';

/** The most parts that an object may have. */
const MAX_PARTS = 10_000;

const READ_BYTES = 1024 * 1024;

/** A file as content, read once for its checksums. */
export async function fileContent(path: string, partBytes: number): Promise<Content> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const digester = new Digester(Math.max(partBytes, Math.ceil(size / MAX_PARTS)));
    for await (const chunk of file.createReadStream({ highWaterMark: READ_BYTES, autoClose: false })) {
      digester.add(chunk as Buffer);
    }
    return { digest: digester.finish(), read: (start, end) => readPart(path, start, end) };
  } finally {
    await file.close();
  }
}

/** A text as content, never divided. */
export function textContent(text: string): Content {
  const bytes = Buffer.from(text);
  const digester = new Digester(Math.max(1, bytes.length));
  digester.add(bytes);
  return { digest: digester.finish(), read: async (start, end) => bytes.subarray(start, end) };
}

/** Metadata to store with an object; see `isSame`. */
export function metadataOf({ sha256, parts, checksum }: ObjectDigest): Record<string, string> {
  return parts.length === 1 ? { sha256 } : { sha256, checksum };
}

/**
 * Whether the object in the store is what it ought to be, by the store's own checksum; `unknown` when the
 * store keeps none.
 */
export function compare(stored: StoredObject, expected: Expected): 'same' | 'different' | 'unknown' {
  if (stored.bytes !== expected.bytes) return 'different';
  if (stored.checksum === null) return 'unknown';
  if (stored.checksum === Buffer.from(expected.sha256, 'hex').toString('base64')) return 'same';
  const { sha256, checksum } = stored.metadata;
  return sha256 === expected.sha256 && checksum === stored.checksum ? 'same' : 'different';
}

async function readPart(path: string, start: number, end: number): Promise<Uint8Array> {
  const file = await open(path);
  try {
    const buffer = Buffer.allocUnsafe(end - start);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, start);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

class Digester {
  readonly #partBytes: number;
  readonly #whole = createHash('sha256');
  #part: Hash = createHash('sha256');
  #partLength = 0;
  readonly #parts: Buffer[] = [];
  #bytes = 0;

  constructor(partBytes: number) {
    this.#partBytes = partBytes;
  }

  add(chunk: Uint8Array): void {
    this.#whole.update(chunk);
    this.#bytes += chunk.length;
    for (let start = 0; start < chunk.length; ) {
      if (this.#partLength === this.#partBytes) this.#endPart();
      const end = Math.min(chunk.length, start + this.#partBytes - this.#partLength);
      this.#part.update(chunk.subarray(start, end));
      this.#partLength += end - start;
      start = end;
    }
  }

  finish(): ObjectDigest {
    this.#endPart();
    const whole = this.#whole.digest();
    const composite = createHash('sha256').update(Buffer.concat(this.#parts)).digest('base64');
    return {
      bytes: this.#bytes,
      sha256: whole.toString('hex'),
      partBytes: this.#partBytes,
      parts: this.#parts.map((part) => part.toString('base64')),
      checksum: this.#parts.length === 1 ? whole.toString('base64') : `${composite}-${this.#parts.length}`,
    };
  }

  #endPart(): void {
    this.#parts.push(this.#part.digest());
    this.#part = createHash('sha256');
    this.#partLength = 0;
  }
}
