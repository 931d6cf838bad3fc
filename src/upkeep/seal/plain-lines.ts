/** Reads a closed plain file in pieces of whole lines. */
import { type FileHandle, open } from 'node:fs/promises';

const NEWLINE = 0x0a;

/**
 * Yields the file's bytes from the start in pieces of about `pieceBytes`, each ending after a newline; a
 * line longer than that makes its piece longer, and what stands behind the last newline is a piece of its
 * own. A piece is valid until the next one is asked for.
 */
export async function* plainLines(path: string, pieceBytes: number): AsyncGenerator<Buffer> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    for (let start = 0; start < size; ) {
      const piece = await pieceFrom(file, start, size - start, pieceBytes);
      yield piece;
      start += piece.length;
    }
  } finally {
    await file.close();
  }
}

async function pieceFrom(file: FileHandle, start: number, left: number, pieceBytes: number): Promise<Buffer> {
  for (let size = pieceBytes; ; size *= 2) {
    const wanted = Math.min(size, left);
    const piece = await readFully(file, start, wanted);
    if (piece.length < wanted) throw new Error(`the file became shorter while it was read`);
    if (wanted === left) return piece;
    const lastNewline = piece.lastIndexOf(NEWLINE);
    if (lastNewline !== -1) return piece.subarray(0, lastNewline + 1);
  }
}

async function readFully(file: FileHandle, start: number, wanted: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(wanted);
  let read = 0;
  while (read < wanted) {
    const { bytesRead } = await file.read(buffer, read, wanted - read, start + read);
    if (bytesRead === 0) break;
    read += bytesRead;
  }
  return buffer.subarray(0, read);
}

export function countNewlines(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, at + 1)) count += 1;
  return count;
}
