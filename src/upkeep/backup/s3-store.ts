/**
 * A bucket of Amazon S3 or of a store that speaks its protocol. Everything sent carries its SHA-256, which the
 * store checks and keeps; why SHA-256 stands in docs/adr/0014-backup.md.
 *
 * Import it dynamically (open-store.ts): the package is large, and without a backup nobody needs it.
 */
import type { Readable } from 'node:stream';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  NoSuchKey,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import type { BackupTarget } from '../../core/backup-target.ts';
import { metadataOf } from './object-digest.ts';
import type { Content, ListedObject, ObjectStore, StoredObject } from './object-store.ts';
import { explain, type Place, statusOf } from './s3-errors.ts';
import { putInParts } from './s3-multipart.ts';

export interface S3Options {
  /** Of one request, within the client; 1 for none but the first. */
  readonly maxAttempts: number;
}

const CONNECTION_TIMEOUT_MS = 10_000;

export class S3Store implements ObjectStore {
  readonly name: string;
  readonly prefix: string;
  readonly #target: BackupTarget;
  readonly #place: Place;
  readonly #client: S3Client;

  constructor(target: BackupTarget, { maxAttempts }: S3Options) {
    const { bucket, region, endpoint, prefix } = target;
    this.#target = target;
    this.#place = { bucket, region, store: endpoint ?? 'Amazon S3' };
    this.name = `${this.#place.store}, bucket ${bucket}`;
    this.prefix = prefix === '' ? '' : `${prefix}/`;
    this.#client = new S3Client(clientOptions(target, maxAttempts));
  }

  put(key: string, content: Content, archived: boolean, signal: AbortSignal): Promise<void> {
    return this.#ask(`store ${key}`, signal, async () => {
      const { digest } = content;
      const target = { Bucket: this.#target.bucket, Key: key };
      const properties = { ...target, ...this.#properties(archived), Metadata: metadataOf(digest) };
      if (digest.parts.length > 1) return putInParts(this.#client, properties, content, signal);
      const command = new PutObjectCommand({
        ...properties,
        Body: await content.read(0, digest.bytes),
        ChecksumSHA256: digest.checksum,
      });
      await this.#client.send(command, { abortSignal: signal });
    });
  }

  head(key: string, signal: AbortSignal): Promise<StoredObject | undefined> {
    return this.#ask(`look at ${key}`, signal, async () => {
      const command = new HeadObjectCommand({
        Bucket: this.#target.bucket,
        Key: key,
        ChecksumMode: 'ENABLED',
      });
      try {
        const head = await this.#client.send(command, { abortSignal: signal });
        const { ContentLength: bytes = 0, ChecksumSHA256: checksum = null, Metadata: metadata = {} } = head;
        return { bytes, checksum, metadata };
      } catch (error) {
        if (statusOf(error) === 404) return undefined;
        // The answer to HEAD has no body that could say why.
        if (statusOf(error) !== undefined) await this.#list(key, signal, undefined, 1);
        throw error;
      }
    });
  }

  read(key: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array> | undefined> {
    return this.#ask(`read ${key}`, signal, async () => {
      const command = new GetObjectCommand({ Bucket: this.#target.bucket, Key: key });
      try {
        const { Body: body } = await this.#client.send(command, { abortSignal: signal });
        return body === undefined ? undefined : this.#explained(body as Readable, `read ${key}`, signal);
      } catch (error) {
        if (error instanceof NoSuchKey) return undefined;
        throw error;
      }
    });
  }

  async *list(prefix: string, signal: AbortSignal): AsyncGenerator<ListedObject> {
    for (let token: string | undefined; ; ) {
      const from = token;
      const page = await this.#ask(`list ${prefix}*`, signal, () => this.#list(prefix, signal, from));
      for (const { Key: key, Size: bytes = 0 } of page.Contents ?? []) {
        if (key !== undefined) yield { key, bytes };
      }
      token = page.NextContinuationToken;
      if (page.IsTruncated !== true || token === undefined) return;
    }
  }

  remove(key: string, signal: AbortSignal): Promise<void> {
    return this.#ask(`remove ${key}`, signal, async () => {
      const command = new DeleteObjectCommand({ Bucket: this.#target.bucket, Key: key });
      await this.#client.send(command, { abortSignal: signal });
    });
  }

  close(): void {
    this.#client.destroy();
  }

  /** A connection can break in the middle of an object. */
  async *#explained(body: Readable, what: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of body) yield chunk as Uint8Array;
    } catch (error) {
      signal.throwIfAborted();
      throw explain(error, this.#place, what);
    }
  }

  #list(prefix: string, signal: AbortSignal, token: string | undefined, maxKeys = 1000) {
    const command = new ListObjectsV2Command({
      Bucket: this.#target.bucket,
      Prefix: prefix,
      MaxKeys: maxKeys,
      ...(token === undefined ? {} : { ContinuationToken: token }),
    });
    return this.#client.send(command, { abortSignal: signal });
  }

  #properties(archived: boolean) {
    const { encryption, storageClass } = this.#target;
    return {
      ...(archived && storageClass !== null ? { StorageClass: storageClass } : {}),
      ...(encryption === null ? {} : { ServerSideEncryption: encryption.algorithm }),
      ...(encryption?.keyId == null ? {} : { SSEKMSKeyId: encryption.keyId }),
    };
  }

  async #ask<T>(what: string, signal: AbortSignal, attempt: () => Promise<T>): Promise<T> {
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      throw explain(error, this.#place, what);
    }
  }
}

function clientOptions(target: BackupTarget, maxAttempts: number) {
  const { region, endpoint, pathStyle, credentials, requestTimeoutMs } = target;
  return {
    region,
    ...(endpoint === null ? {} : { endpoint }),
    forcePathStyle: pathStyle,
    ...(credentials === null ? {} : { credentials: credentialsOf(credentials) }),
    maxAttempts,
    // Ours are in every request already.
    requestChecksumCalculation: 'WHEN_REQUIRED' as const,
    responseChecksumValidation: 'WHEN_REQUIRED' as const,
    requestHandler: {
      connectionTimeout: Math.min(CONNECTION_TIMEOUT_MS, requestTimeoutMs),
      requestTimeout: requestTimeoutMs,
      throwOnRequestTimeout: true,
    },
  };
}

function credentialsOf({
  accessKeyId,
  secretAccessKey,
  sessionToken,
}: NonNullable<BackupTarget['credentials']>) {
  return { accessKeyId, secretAccessKey, ...(sessionToken === null ? {} : { sessionToken }) };
}
