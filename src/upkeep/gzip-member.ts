/**
 * One gzip member of a sealed file (RFC 1952 allows any number, and `zcat` joins them). Each member holds
 * whole lines, so a reader can start at any of them.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import { GZIP_MEMBER_BYTES } from '../core/limits.ts';
import { extendChecksum } from '../storage/checksum.ts';

export interface MemberTask {
  readonly source: string;
  /** Where the member begins in the plain file: the start of a line. */
  readonly start: number;
  /** CRC-32C of everything before `start`. */
  readonly crc: number;
  /** 1 (fast) to 9 (small). */
  readonly level: number;
}

export interface Member {
  readonly compressed: ArrayBuffer;
  /** Where the next member begins. */
  readonly end: number;
  /** CRC-32C of everything before `end`. */
  readonly crc: number;
  readonly lines: number;
}

const NEWLINE = 0x0a;

/**
 * Compresses about GZIP_MEMBER_BYTES from `start` on, ending after a newline or at the end of the file,
 * and decompresses the result again to see that nothing was lost.
 */
export function compressMember(task: MemberTask): Member {
  const plain = readLines(task.source, task.start);
  const compressed = gzipSync(plain, { level: task.level });
  if (!gunzipSync(compressed).equals(plain)) {
    throw new Error(`a gzip member of ${task.source} does not decompress to what went in`);
  }
  return {
    compressed: new Uint8Array(compressed).buffer,
    end: task.start + plain.length,
    crc: extendChecksum(task.crc, plain),
    lines: countNewlines(plain),
  };
}

function readLines(source: string, start: number): Buffer {
  const descriptor = openSync(source, 'r');
  try {
    return readLinesFrom(descriptor, start);
  } finally {
    closeSync(descriptor);
  }
}

/** A line longer than a member makes the member longer. */
function readLinesFrom(descriptor: number, start: number): Buffer {
  const left = fstatSync(descriptor).size - start;
  for (let size = GZIP_MEMBER_BYTES; ; size *= 2) {
    const buffer = Buffer.allocUnsafe(Math.min(size, left));
    const count = readSync(descriptor, buffer, 0, buffer.length, start);
    if (count === left) return buffer.subarray(0, count);
    const lastNewline = buffer.lastIndexOf(NEWLINE, count - 1);
    if (lastNewline !== -1) return buffer.subarray(0, lastNewline + 1);
  }
}

function countNewlines(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, at + 1)) count += 1;
  return count;
}
