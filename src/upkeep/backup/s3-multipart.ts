/**
 * Uploads an object in parts, one after the other, so that one part is in memory. Each part carries its own
 * SHA-256, and the end carries that of all. What was given up, here or by a process that was killed, is
 * aborted: parts without an end are invisible and cost money.
 */
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  ListMultipartUploadsCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { messageOf } from '../../core/errors.ts';
import type { Content } from './object-store.ts';

export type UploadProperties = Pick<
  CreateMultipartUploadCommandInput,
  'Bucket' | 'Key' | 'Metadata' | 'StorageClass' | 'ServerSideEncryption' | 'SSEKMSKeyId'
>;

export async function putInParts(
  client: S3Client,
  properties: UploadProperties,
  content: Content,
  signal: AbortSignal,
): Promise<void> {
  const target = { Bucket: properties.Bucket, Key: properties.Key };
  await abortLeftovers(client, target, signal);
  const created = await client.send(
    new CreateMultipartUploadCommand({
      ...properties,
      ChecksumAlgorithm: 'SHA256',
      ChecksumType: 'COMPOSITE',
    }),
    { abortSignal: signal },
  );
  const upload = { ...target, UploadId: created.UploadId };
  try {
    const parts = await putParts(client, upload, content, signal);
    const { bytes, checksum } = content.digest;
    await client.send(
      new CompleteMultipartUploadCommand({
        ...upload,
        MultipartUpload: { Parts: parts },
        ChecksumSHA256: checksum,
        ChecksumType: 'COMPOSITE',
        MpuObjectSize: bytes,
      }),
      { abortSignal: signal },
    );
  } catch (error) {
    await abort(client, upload, error);
    throw error;
  }
}

type Target = Required<Pick<UploadProperties, 'Bucket' | 'Key'>>;
type Upload = Target & { readonly UploadId: string | undefined };

async function putParts(
  client: S3Client,
  upload: Upload,
  { digest, read }: Content,
  signal: AbortSignal,
): Promise<CompletedPart[]> {
  const parts: CompletedPart[] = [];
  for (const [index, checksum] of digest.parts.entries()) {
    const start = index * digest.partBytes;
    const body = await read(start, Math.min(digest.bytes, start + digest.partBytes));
    const part = { PartNumber: index + 1, ChecksumSHA256: checksum };
    const sent = await client.send(new UploadPartCommand({ ...upload, ...part, Body: body }), {
      abortSignal: signal,
    });
    parts.push({ ...part, ETag: sent.ETag });
  }
  return parts;
}

/** What a process that was killed left of the same object. */
async function abortLeftovers(client: S3Client, target: Target, signal: AbortSignal): Promise<void> {
  const command = new ListMultipartUploadsCommand({ Bucket: target.Bucket, Prefix: target.Key });
  const { Uploads: uploads = [] } = await client.send(command, { abortSignal: signal });
  for (const { Key: key, UploadId: id } of uploads) {
    if (key !== target.Key) continue;
    await client.send(new AbortMultipartUploadCommand({ ...target, UploadId: id }), { abortSignal: signal });
  }
}

/** The signal may be why it failed, so this goes without it; what stays is aborted by the next try. */
async function abort(client: S3Client, upload: Upload, reason: unknown): Promise<void> {
  try {
    await client.send(new AbortMultipartUploadCommand(upload));
  } catch (error) {
    if (reason instanceof Error)
      reason.message += ` (and the parts could not be removed: ${messageOf(error)})`;
  }
}
