/**
 * Reads the headers of a Kafka record (format v2: varint key length, key, varint value length, value;
 * lengths are zigzag encoded, -1 is null). Only positions are given out, and hostile names such as
 * `__proto__` are never used as property names.
 */
import type { RawRecord } from './raw-record.ts';

export class RecordHeaders {
  keyStart = 0;
  keyEnd = 0;
  /** -1 when the value is null. */
  valueStart = 0;
  valueEnd = 0;
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;
  #left: number;

  constructor(record: RawRecord) {
    this.#bytes = record.bytes;
    this.#at = record.headersStart;
    this.#end = record.headersEnd;
    this.#left = record.headerCount;
  }

  /** Goes to the next header; false after the last, or where the encoding is broken. */
  next(): boolean {
    if (this.#left <= 0 || this.#at >= this.#end) return false;
    this.#left--;
    const keyLength = this.#length();
    this.keyStart = this.#at;
    this.keyEnd = this.#at + keyLength;
    if (keyLength < 0 || this.keyEnd > this.#end) return false;
    this.#at = this.keyEnd;
    const valueLength = this.#length();
    this.valueStart = valueLength < 0 ? -1 : this.#at;
    this.valueEnd = this.#at + Math.max(valueLength, 0);
    this.#at = this.valueEnd;
    return this.valueEnd <= this.#end;
  }

  /** Whether the current header has this name (ASCII). */
  isNamed(name: Uint8Array): boolean {
    if (this.keyEnd - this.keyStart !== name.length) return false;
    for (let i = 0; i < name.length; i++) {
      if (this.#bytes[this.keyStart + i] !== name[i]) return false;
    }
    return true;
  }

  #length(): number {
    let value = 0;
    for (let shift = 0; shift < 35 && this.#at < this.#end; shift += 7) {
      const byte = this.#bytes[this.#at++] as number;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    return (value >>> 1) ^ -(value & 1);
  }
}
