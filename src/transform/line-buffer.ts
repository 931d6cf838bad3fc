/**
 * A growing byte buffer for lines, over a memory block that belongs to the caller until it grows.
 * Callers `reserve` the most they can need and then write into `bytes` at `length` by themselves.
 */
export class LineBuffer {
  bytes: Uint8Array;
  length = 0;

  constructor(memory: ArrayBuffer) {
    this.bytes = new Uint8Array(memory);
  }

  /** Starts over on another memory block. */
  reset(memory: ArrayBuffer): void {
    this.bytes = new Uint8Array(memory);
    this.length = 0;
  }

  /** Makes room for `count` more bytes; `bytes` may be another array afterwards. */
  reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  /** The memory block in use, for transferring to another thread. */
  get memory(): ArrayBuffer {
    return this.bytes.buffer as ArrayBuffer;
  }
}
