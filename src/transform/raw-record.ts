/**
 * One Kafka record as it lies in a decompressed record block: byte positions, nothing copied.
 * A reader fills the same object again for every record (allocation per record costs more than the
 * decoding), so whoever keeps one beyond the call must copy what it needs.
 *
 * Source: the record format v2 (KIP-98), `Records` in the Kafka protocol guide.
 */
export interface RawRecord {
  /** The block that every position below refers to. */
  bytes: Uint8Array;
  offset: number;
  /** Kafka's timestamp of the record, ms since the epoch; negative when the producer set none. */
  timestamp: number;
  /** -1 when the key is null. */
  keyStart: number;
  keyEnd: number;
  /** -1 when the value is null. */
  valueStart: number;
  valueEnd: number;
  /** The encoded headers, without their count; read only when somebody needs one. */
  headersStart: number;
  headersEnd: number;
  headerCount: number;
}
