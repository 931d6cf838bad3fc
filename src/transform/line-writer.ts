/**
 * Writes one line into a line buffer from pieces of the record and constants.
 *
 * Runs of up to SHORT bytes are copied by a loop over words, longer ones by `Buffer.copy`, whose fixed
 * cost of some 20 ns the loop exceeds only beyond that. In careful mode every copied piece loses tabs and line ends
 * between tokens, and U+0085, U+2028 and U+2029 become escapes, so that the line stays one line.
 */
import { ByteText, copyWords } from './byte-text.ts';
import { BACKSLASH, isLineSeparator, QUOTE } from './json-bytes.ts';
import type { LineBuffer } from './line-buffer.ts';

const SHORT = 48;
/** A two-byte U+0085 becomes six bytes. */
const CAREFUL_GROWTH = 3;

const NO_BYTES = new ByteText(new Uint8Array(0));

function bufferOver({ bytes }: ByteText): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export class LineWriter {
  #source = NO_BYTES;
  #sourceBuffer = bufferOver(NO_BYTES);
  #target = NO_BYTES;
  #targetBuffer = bufferOver(NO_BYTES);
  #at = 0;
  #isCareful = false;

  /**
   * Starts a line in `lines` with pieces of `source`, of which at most `copiedBytes` will be copied, plus
   * at most `constantBytes` from elsewhere.
   */
  begin(
    lines: LineBuffer,
    source: Uint8Array,
    copiedBytes: number,
    constantBytes: number,
    isCareful: boolean,
  ): void {
    lines.reserve((isCareful ? copiedBytes * CAREFUL_GROWTH : copiedBytes) + constantBytes);
    if (source !== this.#source.bytes) {
      this.#source = new ByteText(source);
      this.#sourceBuffer = bufferOver(this.#source);
    }
    if (lines.bytes !== this.#target.bytes) {
      this.#target = new ByteText(lines.bytes);
      this.#targetBuffer = bufferOver(this.#target);
    }
    this.#at = lines.length;
    this.#isCareful = isCareful;
  }

  /** Appends constant bytes. */
  constant(text: ByteText): void {
    const { length } = text.bytes;
    copyWords(this.#target, this.#at, text, 0, length);
    this.#at += length;
  }

  /** Appends `before`, then `start`..`end` of the source, which must begin outside a string. */
  piece(before: ByteText, start: number, end: number): void {
    this.#append(before, start, end, false);
  }

  /** Appends `before`, then `start`..`end` of the source, which is the content of a string, and a quote. */
  text(before: ByteText, start: number, end: number): void {
    this.#append(before, start, end, true);
    this.#target.bytes[this.#at++] = QUOTE;
  }

  /** Ends the line with `text`: it now belongs to `lines`. */
  finish(lines: LineBuffer, text: ByteText): void {
    this.constant(text);
    lines.length = this.#at;
  }

  #append(before: ByteText, start: number, end: number, startsInString: boolean): void {
    this.constant(before);
    if (this.#isCareful) {
      this.#copyCarefully(start, end, startsInString);
      return;
    }
    const at = this.#at;
    if (end - start <= SHORT) copyWords(this.#target, at, this.#source, start, end);
    else this.#sourceBuffer.copy(this.#targetBuffer, at, start, end);
    this.#at = at + end - start;
  }

  #copyCarefully(start: number, end: number, startsInString: boolean): void {
    const source = this.#source.bytes;
    const target = this.#target.bytes;
    let inString = startsInString;
    for (let p = start; p < end; p++) {
      const byte = source[p] as number;
      if (byte === QUOTE) inString = !inString;
      if (!inString && (byte === 0x0a || byte === 0x0d || byte === 0x09)) continue;
      if (byte >= 0x80 && isLineSeparator(source, p)) {
        p += this.#escapeSeparator(p);
        continue;
      }
      target[this.#at++] = byte;
      if (byte === BACKSLASH && inString) target[this.#at++] = source[++p] as number;
    }
  }

  /** Writes the separator at `at` as an escape; returns how many further bytes it took in the source. */
  #escapeSeparator(at: number): number {
    const source = this.#source.bytes;
    const isNextLine = source[at] === 0xc2;
    const code = isNextLine ? '0085' : source[at + 2] === 0xa8 ? '2028' : '2029';
    this.#targetBuffer.write(`\\u${code}`, this.#at, 'latin1');
    this.#at += 6;
    return isNextLine ? 1 : 2;
  }
}
