/** A store in memory, for what needs no real one: it can fail at any call, and keep checksums or not. */
import { createHash } from 'node:crypto';
import { ServiceError } from '../../src/core/errors.ts';
import { metadataOf } from '../../src/upkeep/backup/object-digest.ts';
import type {
  Content,
  ListedObject,
  ObjectStore,
  StoredObject,
} from '../../src/upkeep/backup/object-store.ts';

interface MemoryObject {
  bytes: Buffer;
  readonly checksum: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly archived: boolean;
}

export class MemoryStore implements ObjectStore {
  readonly name = 'the memory';
  readonly prefix = 'some/logs/';
  readonly objects = new Map<string, MemoryObject>();
  /** Every call, such as `put some/logs/x`. */
  readonly calls: string[] = [];
  /** Called before each call takes effect; what it throws is what the call rejects with. */
  before: (call: string) => void = () => undefined;
  /** Called after it took effect. */
  after: (call: string) => void = () => undefined;
  keepsChecksums = true;

  async put(key: string, content: Content, archived: boolean): Promise<void> {
    await this.#call(`put ${key}`, async () => {
      const { digest } = content;
      const checksum = this.keepsChecksums ? digest.checksum : null;
      const bytes = Buffer.from(await content.read(0, digest.bytes));
      this.objects.set(key, { bytes, checksum, metadata: metadataOf(digest), archived });
    });
  }

  head(key: string): Promise<StoredObject | undefined> {
    return this.#call(`head ${key}`, async () => {
      const object = this.objects.get(key);
      return object && { bytes: object.bytes.length, checksum: object.checksum, metadata: object.metadata };
    });
  }

  read(key: string): Promise<AsyncIterable<Uint8Array> | undefined> {
    return this.#call(`read ${key}`, async () => {
      const object = this.objects.get(key);
      return object && inChunks(object.bytes);
    });
  }

  async *list(prefix: string): AsyncGenerator<ListedObject> {
    await this.#call(`list ${prefix}`, async () => undefined);
    for (const [key, { bytes }] of this.objects) {
      if (key.startsWith(prefix)) yield { key, bytes: bytes.length };
    }
  }

  async remove(key: string): Promise<void> {
    await this.#call(`remove ${key}`, async () => this.objects.delete(key));
  }

  close(): void {}

  /** Replaces an object's bytes as somebody else's upload would: the store computes its checksum anew. */
  overwrite(key: string, bytes: Buffer): void {
    const checksum = createHash('sha256').update(bytes).digest('base64');
    this.objects.set(key, { bytes, checksum, metadata: {}, archived: true });
  }

  /** Keys that end in a suffix, in order. */
  keys(suffix: string): string[] {
    return [...this.objects.keys()].filter((key) => key.endsWith(suffix)).sort();
  }

  async #call<T>(call: string, effect: () => Promise<T>): Promise<T> {
    this.calls.push(call);
    this.before(call);
    const result = await effect();
    this.after(call);
    return result;
  }
}

/** What a call of a store in trouble rejects with. */
export function outage(): ServiceError {
  return new ServiceError('STORE_UNREACHABLE', 'The store is away.');
}

async function* inChunks(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += 100) yield bytes.subarray(start, start + 100);
}
