/**
 * Puts an object into a store and believes nothing: what the store says of it afterwards has to be what
 * was sent. An object that is there already is not sent again, so a run that was killed goes on where it stopped.
 */
import { createHash } from 'node:crypto';
import { ServiceError } from '../../core/errors.ts';
import { compare } from './object-digest.ts';
import type { Content, Expected, ObjectStore, StoredObject } from './object-store.ts';

/** @returns the bytes that were sent; 0 when the object was there */
export async function putConfirmed(
  store: ObjectStore,
  key: string,
  content: Content,
  archived: boolean,
  signal: AbortSignal,
): Promise<number> {
  const { digest } = content;
  const before = await store.head(key, signal);
  if (before !== undefined && (await isSame(store, key, before, digest, signal))) return 0;
  await store.put(key, content, archived, signal);
  const stored = await store.head(key, signal);
  if (stored !== undefined && (await isSame(store, key, stored, digest, signal))) return digest.bytes;
  throw new ServiceError(
    'BACKUP_DIFFERS',
    `${store.name} does not hold ${key} as it was sent: run "log-consumer backup run" again, and look at the store when it stays.`,
    { key },
  );
}

/** By the store's checksum; a store that keeps none has to give the object back. */
export async function isSame(
  store: ObjectStore,
  key: string,
  stored: StoredObject,
  expected: Expected,
  signal: AbortSignal,
): Promise<boolean> {
  const found = compare(stored, expected);
  if (found !== 'unknown') return found === 'same';
  return (await hashOf(store, key, signal)) === expected.sha256;
}

/** SHA-256 of an object's bytes, hexadecimal; undefined when it is gone. */
export async function hashOf(
  store: ObjectStore,
  key: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const body = await store.read(key, signal);
  if (body === undefined) return undefined;
  const hash = createHash('sha256');
  for await (const chunk of body) hash.update(chunk);
  return hash.digest('hex');
}
