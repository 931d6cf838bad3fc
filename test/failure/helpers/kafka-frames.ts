/** Kafka requests in a stream of bytes: INT32 length, then INT16 API key and the rest. */
export interface RequestFrame {
  readonly apiKey: number;
}

const LENGTH_BYTES = 4;
const API_KEY_BYTES = 2;

export class FrameReader {
  #head = Buffer.alloc(0);
  /** Bytes of the present request that have not come yet. */
  #rest = 0;

  /** Takes what came, and returns the requests whose beginning is in it. */
  push(chunk: Buffer): RequestFrame[] {
    const frames: RequestFrame[] = [];
    let bytes = chunk;
    for (;;) {
      const skipped = Math.min(this.#rest, bytes.length);
      this.#rest -= skipped;
      bytes = bytes.subarray(skipped);
      if (bytes.length === 0) return frames;
      this.#head = Buffer.concat([this.#head, bytes]);
      if (this.#head.length < LENGTH_BYTES + API_KEY_BYTES) return frames;
      frames.push({ apiKey: this.#head.readInt16BE(LENGTH_BYTES) });
      bytes = this.#head.subarray(LENGTH_BYTES);
      this.#rest = this.#head.readInt32BE(0);
      this.#head = Buffer.alloc(0);
    }
  }
}
