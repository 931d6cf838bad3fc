/** The beginning of a file that was active at the moment to which a restore goes back. */
import { createWriteStream } from 'node:fs';
import { rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { ServiceError } from '../../core/errors.ts';
import { extendChecksum, formatChecksum } from '../../storage/checksum.ts';
import { syncDirectory } from '../../storage/durable-file.ts';
import type { FilePosition } from '../../storage/facts.ts';
import { syncFile } from '../../storage/sync-file.ts';
import { COMPRESSIONS } from '../seal/compression.ts';
import type { Members } from '../seal/sealed-lines.ts';
import type { ObjectStore } from './object-store.ts';

/** How much of the file is wanted, and the members of the segment that it comes from; a tail has none. */
interface Head extends Pick<FilePosition, 'length' | 'crc32c'> {
  readonly sealed: Members | undefined;
}

/**
 * Brings back the first bytes of a compressed object as a plain file.
 * @returns the bytes that were written
 * @throws ServiceError BACKUP_DIFFERS when they are not what was recorded
 */
export async function restoreHead(
  store: ObjectStore,
  key: string,
  path: string,
  { length, crc32c, sealed }: Head,
  signal: AbortSignal,
): Promise<number> {
  const body = await store.read(key, signal);
  if (body === undefined) throw differs(store, key, 'is missing');
  const temporary = `${path}.tmp`;
  let [bytes, crc] = [0, 0];
  const firstBytes = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      const wanted = chunk.subarray(0, length - bytes);
      bytes += wanted.length;
      crc = extendChecksum(crc, wanted);
      yield wanted;
    }
  };
  try {
    const plain = sealed === undefined ? Readable.from(body).pipe(createGunzip()) : membersOf(body, sealed);
    await pipeline(plain, firstBytes, createWriteStream(temporary));
  } catch (error) {
    if (error instanceof ServiceError || signal.aborted || !isZlibError(error)) throw error;
    throw differs(store, key, 'cannot be decompressed');
  }
  if (bytes !== length || formatChecksum(crc) !== crc32c) throw differs(store, key, 'is not what was copied');
  await syncFile(temporary);
  await rename(temporary, path);
  syncDirectory(dirname(path));
  return bytes;
}

/** Decompresses a sealed file as its bytes come in. */
async function* membersOf(body: AsyncIterable<Uint8Array>, sealed: Members): AsyncGenerator<Buffer> {
  const { decompress } = COMPRESSIONS[sealed.format];
  const members = sealed.members.values();
  let member = members.next();
  let held: Buffer = Buffer.alloc(0);
  for await (const chunk of body) {
    held = Buffer.concat([held, chunk]);
    while (member.done !== true && held.length >= member.value[0]) {
      const [stored, plain] = member.value;
      yield await decompress(held.subarray(0, stored), plain);
      held = held.subarray(stored);
      member = members.next();
    }
  }
}

function isZlibError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && /^Z_/.test(String(error.code));
}

function differs(store: ObjectStore, key: string, what: string): ServiceError {
  return new ServiceError(
    'BACKUP_DIFFERS',
    `${key} in ${store.name} ${what}: run "log-consumer backup verify --deep"; with --to, an earlier time can be restored.`,
    { key },
  );
}
