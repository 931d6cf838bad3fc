/** Finds the beginnings of Kafka's requests or answers in a stream: each is an INT32 length and so many bytes. */
const LENGTH_BYTES = 4;

/** What a request begins with after its length: INT16 API key, INT16 version, INT32 correlation id. */
export const REQUEST_HEAD_BYTES = 8;
/** What an answer begins with after its length: INT32 correlation id. */
export const ANSWER_HEAD_BYTES = 4;

export class FrameReader {
  readonly #headBytes: number;
  #begun: Buffer = Buffer.alloc(0);
  /** Bytes of the present frame that have not come yet. */
  #rest = 0;

  /** @param headBytes bytes after the length that are wanted of every frame */
  constructor(headBytes: number) {
    this.#headBytes = headBytes;
  }

  /** Takes what came, and returns the heads that it completes. */
  push(chunk: Buffer): Buffer[] {
    const heads: Buffer[] = [];
    let bytes = chunk;
    for (;;) {
      const skipped = Math.min(this.#rest, bytes.length);
      this.#rest -= skipped;
      bytes = Buffer.concat([this.#begun, bytes.subarray(skipped)]);
      this.#begun = Buffer.alloc(0);
      const headEnd = LENGTH_BYTES + this.#headBytes;
      if (bytes.length < headEnd) {
        this.#begun = bytes;
        return heads;
      }
      heads.push(bytes.subarray(LENGTH_BYTES, headEnd));
      this.#rest = LENGTH_BYTES + bytes.readInt32BE(0);
    }
  }
}
