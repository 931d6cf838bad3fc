import type { LineBuffer } from './line-buffer.ts';

/**
 * Runs of lines of one buffer that are to be repeated behind it, as positions. Neighbouring lines
 * become one run, so a category that has every record costs one copy. Used again for every unit.
 */
export class LineRanges {
  records = 0;
  /** Sum of the lengths of all runs. */
  byteLength = 0;

  private ends = new Uint32Array(128);
  private used = 0;

  reset(): void {
    this.records = 0;
    this.byteLength = 0;
    this.used = 0;
  }

  /** Adds the line in [start, end), which lies behind every line added before. */
  add(start: number, end: number): void {
    this.records += 1;
    this.byteLength += end - start;
    if (this.used > 0 && this.ends[this.used - 1] === start) {
      this.ends[this.used - 1] = end;
      return;
    }
    if (this.used === this.ends.length) this.grow();
    this.ends[this.used] = start;
    this.ends[this.used + 1] = end;
    this.used += 2;
  }

  /** Copies the lines to the end of the buffer they lie in. */
  repeatIn(lines: LineBuffer): void {
    lines.reserve(this.byteLength);
    for (let index = 0; index < this.used; index += 2) {
      const start = this.ends[index] as number;
      const end = this.ends[index + 1] as number;
      lines.bytes.copyWithin(lines.length, start, end);
      lines.length += end - start;
    }
  }

  private grow(): void {
    const grown = new Uint32Array(this.ends.length * 2);
    grown.set(this.ends);
    this.ends = grown;
  }
}
