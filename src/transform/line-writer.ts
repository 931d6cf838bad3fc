/**
 * Writes one line into a line buffer from pieces of the record and constants.
 *
 * Runs of up to SHORT bytes are copied by a loop, longer ones by `Buffer.copy`, whose fixed cost of some
 * 20 ns a loop exceeds only beyond that. In careful mode every copied piece loses tabs and line ends
 * between tokens, and U+0085, U+2028 and U+2029 become escapes, so that the line stays one line.
 */
import { BACKSLASH, isLineSeparator, QUOTE } from './json-bytes.ts';
import type { LineBuffer } from './line-buffer.ts';

const SHORT = 24;
/** A two-byte U+0085 becomes six bytes. */
const CAREFUL_GROWTH = 3;

const NO_BYTES = new Uint8Array(0);

function bufferOver(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export class LineWriter {
  #source: Uint8Array = NO_BYTES;
  #sourceBuffer = bufferOver(NO_BYTES);
  #target: Uint8Array = NO_BYTES;
  #targetBuffer = bufferOver(NO_BYTES);
  #at = 0;
  #isCareful = false;

  /**
   * Starts a line in `lines` with pieces of `source`, of which at most `copiedBytes` will be copied, plus
   * at most `constantBytes` from elsewhere.
   */
  begin(lines: LineBuffer, source: Uint8Array, copiedBytes: number, constantBytes: number, isCareful: boolean): void {
    lines.reserve((isCareful ? copiedBytes * CAREFUL_GROWTH : copiedBytes) + constantBytes);
    if (source !== this.#source) {
      this.#source = source;
      this.#sourceBuffer = bufferOver(source);
    }
    if (lines.bytes !== this.#target) {
      this.#target = lines.bytes;
      this.#targetBuffer = bufferOver(lines.bytes);
    }
    this.#at = lines.length;
    this.#isCareful = isCareful;
  }

  /** Appends constant bytes. */
  constant(bytes: Uint8Array): void {
    const target = this.#target;
    let at = this.#at;
    for (let i = 0; i < bytes.length; i++) target[at++] = bytes[i] as number;
    this.#at = at;
  }

  /** Appends one byte. */
  byte(value: number): void {
    this.#target[this.#at++] = value;
  }

  /** Appends `start`..`end` of the source, which must begin outside a string. */
  copy(start: number, end: number): void {
    if (this.#isCareful) this.#copyCarefully(start, end, false);
    else if (end - start <= SHORT) this.#copyShort(start, end);
    else {
      this.#sourceBuffer.copy(this.#targetBuffer, this.#at, start, end);
      this.#at += end - start;
    }
  }

  /** Appends `start`..`end` of the source, which is the content of a string. */
  copyContent(start: number, end: number): void {
    if (this.#isCareful) this.#copyCarefully(start, end, true);
    else this.copy(start, end);
  }

  /** Ends the line: it now belongs to `lines`. */
  finish(lines: LineBuffer): void {
    this.#target[this.#at++] = 0x0a;
    lines.length = this.#at;
  }

  #copyShort(start: number, end: number): void {
    const source = this.#source;
    const target = this.#target;
    let at = this.#at;
    for (let i = start; i < end; i++) target[at++] = source[i] as number;
    this.#at = at;
  }

  #copyCarefully(start: number, end: number, startsInString: boolean): void {
    const source = this.#source;
    let inString = startsInString;
    for (let p = start; p < end; p++) {
      const byte = source[p] as number;
      if (byte === QUOTE) inString = !inString;
      if (!inString && (byte === 0x0a || byte === 0x0d || byte === 0x09)) continue;
      if (byte >= 0x80 && isLineSeparator(source, p)) {
        p += this.#escapeSeparator(p);
        continue;
      }
      this.#target[this.#at++] = byte;
      if (byte === BACKSLASH && inString) this.#target[this.#at++] = source[++p] as number;
    }
  }

  /** Writes the separator at `at` as an escape; returns how many further bytes it took in the source. */
  #escapeSeparator(at: number): number {
    const isNextLine = this.#source[at] === 0xc2;
    const code = isNextLine ? '0085' : this.#source[at + 2] === 0xa8 ? '2028' : '2029';
    this.#targetBuffer.write(`\\u${code}`, this.#at, 'latin1');
    this.#at += 6;
    return isNextLine ? 1 : 2;
  }
}
