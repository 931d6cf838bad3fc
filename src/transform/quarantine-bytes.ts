/**
 * Puts bytes of a producer into a line of the quarantine: as text where they are readable text,
 * otherwise in base64. A key or a value can be as large as a whole decompressed batch, so they go piece
 * by piece from memory to memory: as one string, such a record would exhaust the heap of the thread, and
 * again after every restart.
 *
 * The line is at most about twice as long as the bytes.
 */
import { isUtf8 } from 'node:buffer';
import { BACKSLASH, isLineSeparator, jsonText, QUOTE } from './json-bytes.ts';
import type { LineBuffer } from './line-buffer.ts';

/** A multiple of 3, so that base64 of the pieces can be joined. */
const PIECE_BYTES = 48 * 1024;

/** Bytes that the JSON escape of a byte is longer than the byte. */
const ESCAPE_BYTES = new Uint8Array(256).fill(5, 0, 0x20);
for (const byte of [0x08, 0x09, 0x0a, 0x0c, 0x0d, QUOTE, BACKSLASH]) ESCAPE_BYTES[byte] = 1;

/**
 * Whether bytes are kept as text: UTF-8 whose JSON escapes are at most twice as long. Control characters
 * grow to six times their size, and nobody reads them.
 */
export function isReadable(bytes: Uint8Array): boolean {
  if (!isUtf8(bytes)) return false;
  let escapes = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] as number;
    escapes += ESCAPE_BYTES[byte] as number;
    if ((byte === 0xc2 || byte === 0xe2) && isLineSeparator(bytes, at)) escapes += 4;
  }
  return escapes <= bytes.length;
}

/** Appends `"name":"text"`, or `"name":"base64","name_encoding":"base64"`. */
export function appendBytes(line: LineBuffer, name: string, bytes: Uint8Array): void {
  if (!isReadable(bytes)) {
    appendBase64(line, name, bytes);
    return;
  }
  appendText(line, `"${name}":"`);
  for (let start = 0; start < bytes.length; ) {
    const end = pieceEnd(bytes, start);
    appendText(line, jsonText(bufferOf(bytes, start, end).toString()).slice(1, -1));
    start = end;
  }
  appendText(line, '"');
}

/** Appends `"name":"base64","name_encoding":"base64"`. */
export function appendBase64(line: LineBuffer, name: string, bytes: Uint8Array): void {
  appendText(line, `"${name}":"`);
  for (let start = 0; start < bytes.length; start += PIECE_BYTES) {
    const end = Math.min(start + PIECE_BYTES, bytes.length);
    appendText(line, bufferOf(bytes, start, end).toString('base64'));
  }
  appendText(line, `","${name}_encoding":"base64"`);
}

/** Appends text as UTF-8. */
export function appendText(line: LineBuffer, text: string): void {
  line.reserve(Buffer.byteLength(text));
  const { bytes } = line;
  line.length += bufferOf(bytes, 0, bytes.length).write(text, line.length);
}

/** A piece ends between two characters: before a byte that does not continue one. */
function pieceEnd(bytes: Uint8Array, start: number): number {
  let end = Math.min(start + PIECE_BYTES, bytes.length);
  while (end < bytes.length && ((bytes[end] as number) & 0xc0) === 0x80) end -= 1;
  return end;
}

function bufferOf(bytes: Uint8Array, start: number, end: number): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start);
}
