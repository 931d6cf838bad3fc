/** The service that the Kafka header `service` of a record names. */
import { isUtf8 } from 'node:buffer';
import { ByteText } from './byte-text.ts';
import { jsonText } from './json-bytes.ts';
import type { RawRecord } from './raw-record.ts';
import { RecordHeaders } from './record-headers.ts';

const NAME = new Uint8Array(Buffer.from('service'));
/** The header is looked for among this many; producers put a handful. */
const MAX_SEARCHED = 64;

export class HeaderService {
  // The last value and its text, because a producer sends the same one again and again.
  #value = Buffer.alloc(0);
  #text: ByteText | null = null;

  /** The name as JSON text; null when the record has no such header, or it is empty or not UTF-8. */
  find(record: RawRecord): ByteText | null {
    if (record.headerCount === 0) return null;
    const headers = new RecordHeaders(record);
    for (let i = 0; i < MAX_SEARCHED && headers.next(); i++) {
      if (headers.valueStart >= 0 && headers.isNamed(NAME)) return this.#textOf(record, headers);
    }
    return null;
  }

  #textOf(record: RawRecord, headers: RecordHeaders): ByteText | null {
    const { buffer, byteOffset } = record.bytes;
    const value = Buffer.from(buffer, byteOffset + headers.valueStart, headers.valueEnd - headers.valueStart);
    if (!value.equals(this.#value)) {
      this.#value = Buffer.from(value);
      this.#text = value.length > 0 && isUtf8(value) ? ByteText.of(jsonText(value.toString('utf8'))) : null;
    }
    return this.#text;
  }
}
