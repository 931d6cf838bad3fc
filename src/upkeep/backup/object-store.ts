/** What a backup needs of a store of objects; s3-store.ts is the real one. */

/** The checksums of an object (object-digest.ts). */
export interface ObjectDigest {
  readonly bytes: number;
  /** Of all bytes, hexadecimal as in the facts of a segment. */
  readonly sha256: string;
  readonly partBytes: number;
  /** Base64, in order; a single one for an object that is not divided. */
  readonly parts: readonly string[];
  /** What the store has to compute. */
  readonly checksum: string;
}

/** What an object ought to be, as far as the facts of its segment tell. */
export type Expected = Pick<ObjectDigest, 'bytes' | 'sha256'>;

/** Content to be stored, of which every checksum is known beforehand. */
export interface Content {
  readonly digest: ObjectDigest;
  /** The bytes [start, end). */
  read(start: number, end: number): Promise<Uint8Array>;
}

/** What the store says of an object without sending it. */
export interface StoredObject {
  readonly bytes: number;
  /**
   * SHA-256 as the store computed it, base64: of the object, or of its parts' hashes with `-<parts>` behind
   * it. Null for a store that keeps none.
   */
  readonly checksum: string | null;
  /** As given when it was stored. */
  readonly metadata: Readonly<Record<string, string>>;
}

export interface ListedObject {
  readonly key: string;
  readonly bytes: number;
}

/** Every method rejects with a ServiceError that says in one sentence what is wrong, where, and what to do. */
export interface ObjectStore {
  /** Names the place in messages. */
  readonly name: string;
  /** Put before every key; empty or ending in `/`. */
  readonly prefix: string;
  /** @param archived whether it goes to the configured storage class */
  put(key: string, content: Content, archived: boolean, signal: AbortSignal): Promise<void>;
  /** Undefined when there is no such object. */
  head(key: string, signal: AbortSignal): Promise<StoredObject | undefined>;
  /** Undefined when there is no such object. Reading on may reject like everything here. */
  read(key: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array> | undefined>;
  /** All objects whose key begins with `prefix`. */
  list(prefix: string, signal: AbortSignal): AsyncIterable<ListedObject>;
  /** Removes an object; nothing happens where there is none. */
  remove(key: string, signal: AbortSignal): Promise<void>;
  close(): void;
}
