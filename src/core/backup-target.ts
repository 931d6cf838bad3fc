/** Where copies of closed files go, and how. */
export interface BackupTarget {
  readonly bucket: string;
  /** Without `/` at its ends; empty for none. */
  readonly prefix: string;
  /** Null for Amazon S3. */
  readonly endpoint: string | null;
  readonly region: string;
  /** Whether the bucket's name stands in the path of the URL instead of in the host. */
  readonly pathStyle: boolean;
  /** Null for what the machine offers: variables, shared files, roles. */
  readonly credentials: BackupCredentials | null;
  readonly encryption: BackupEncryption | null;
  /** Null for the standard class. */
  readonly storageClass: 'STANDARD_IA' | 'ONEZONE_IA' | 'INTELLIGENT_TIERING' | 'GLACIER_IR' | null;
  readonly partBytes: number;
  /** Files at the same time. */
  readonly concurrency: number;
  readonly requestTimeoutMs: number;
}

export interface BackupCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | null;
}

export interface BackupEncryption {
  readonly algorithm: 'AES256' | 'aws:kms';
  /** Null for the default key of the account. */
  readonly keyId: string | null;
}

/** Names the place; what was copied to another place is not copied to this one. */
export function targetIdentity({ bucket, prefix, endpoint }: BackupTarget): string {
  return `${endpoint ?? 's3:'} ${bucket} ${prefix}`;
}
