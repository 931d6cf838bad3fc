/** Writes the rows of row-text.ts, a piece of the segment at a time. */
import type { FileHandle } from 'node:fs/promises';
import { ABSENT_FIELD, FIELD_SEPARATOR, protect } from './row-text.ts';

/** What judges the lines of a segment; handed in, because the rules are those of ingestion. */
export interface LineJudge {
  /** Bit i: the last line belongs to CATEGORIES[i]. */
  readonly categories: number;
  /** By field: where its content lies in the bytes that were judged; `start` is -1 when it is absent. */
  readonly line: { readonly start: ArrayLike<number>; readonly end: ArrayLike<number> };
  /** False when the bytes are not a stored line. */
  judge(bytes: Uint8Array, start: number, end: number): boolean;
}

const NEWLINE = 0x0a;
const BACKSLASH = 0x5c;
const SEPARATOR_BYTE = FIELD_SEPARATOR.charCodeAt(0);
const ABSENT_BYTES = Buffer.from(ABSENT_FIELD);
/** `extra` is the last field, and the only one that is not a string. */
const STRING_FIELDS = 7;
/** What a row has besides its fields: separators, categories, newline, and the marks of absent fields. */
const ROW_BYTES = 32;

export class RowWriter {
  readonly #judge: LineJudge;
  readonly #file: FileHandle;
  #rows = Buffer.allocUnsafe(0);
  #length = 0;
  #longestBytes = 0;

  constructor(judge: LineJudge, file: FileHandle) {
    this.#judge = judge;
    this.#file = file;
  }

  /** Bytes of the longest row so far, with its newline. */
  get longestBytes(): number {
    return this.#longestBytes;
  }

  /**
   * Writes a row for each line of `lines`, which ends with a newline.
   * @returns the number of lines that are none of ours, for which no row was written
   */
  async write(lines: Buffer, count: number): Promise<number> {
    this.#length = 0;
    // Decoded text is never longer than its JSON form, but a protected character can be: by then the
    // JSON form had an escape of six characters for it.
    const room = lines.length + count * ROW_BYTES;
    if (this.#rows.length < room) this.#rows = Buffer.allocUnsafe(room);
    let foreign = 0;
    let start = 0;
    for (let end = lines.indexOf(NEWLINE); end !== -1; end = lines.indexOf(NEWLINE, start)) {
      if (this.#judge.judge(lines, start, end)) this.#row(lines);
      else foreign += 1;
      start = end + 1;
    }
    await this.#file.writeFile(this.#rows.subarray(0, this.#length));
    return foreign;
  }

  #row(lines: Buffer): void {
    const rowStart = this.#length;
    const { line, categories } = this.#judge;
    for (let field = 0; field <= STRING_FIELDS; field += 1) {
      const start = line.start[field] as number;
      if (start < 0) this.#bytes(ABSENT_BYTES, 0, ABSENT_BYTES.length);
      else if (field === STRING_FIELDS) this.#bytes(lines, start, line.end[field] as number);
      else this.#text(lines, start, line.end[field] as number);
      this.#rows[this.#length++] = SEPARATOR_BYTE;
    }
    this.#length += this.#rows.write(String(categories), this.#length, 'latin1');
    this.#rows[this.#length++] = NEWLINE;
    this.#longestBytes = Math.max(this.#longestBytes, this.#length - rowStart);
  }

  #bytes(source: Buffer, start: number, end: number): void {
    this.#length += source.copy(this.#rows, this.#length, start, end);
  }

  #text(lines: Buffer, start: number, end: number): void {
    if (!hasBackslash(lines, start, end)) {
      this.#bytes(lines, start, end);
      return;
    }
    const decoded = JSON.parse(`"${lines.toString('utf8', start, end)}"`) as string;
    this.#length += this.#rows.write(protect(decoded), this.#length, 'utf8');
  }
}

function hasBackslash(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) {
    if (bytes[at] === BACKSLASH) return true;
  }
  return false;
}
