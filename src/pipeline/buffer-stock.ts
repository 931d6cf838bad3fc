/**
 * Memory blocks of one size that go round instead of being allocated: a block is taken, transferred to
 * another thread, comes back, and is given again. Fresh blocks cost page faults, and their memory is
 * freed only by a later garbage collection of every thread that held them.
 */
export class BufferStock {
  readonly #blockBytes: number;
  readonly #maxPooledBytes: number;
  readonly #free: ArrayBuffer[] = [];

  /** Blocks that grew above `maxPooledBytes` are dropped when they come back. */
  constructor(blockBytes: number, maxPooledBytes: number) {
    this.#blockBytes = blockBytes;
    this.#maxPooledBytes = maxPooledBytes;
  }

  /** A block of at least `bytes` bytes. */
  take(bytes: number): ArrayBuffer {
    if (bytes > this.#blockBytes) return new ArrayBuffer(bytes);
    return this.#free.pop() ?? new ArrayBuffer(this.#blockBytes);
  }

  give(block: ArrayBuffer): void {
    const pooled = block.byteLength >= this.#blockBytes && block.byteLength <= this.#maxPooledBytes;
    if (pooled) this.#free.push(block);
  }
}
