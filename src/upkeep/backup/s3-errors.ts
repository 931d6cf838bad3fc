/** What a failed request to a store means for whoever set it up. */
import { messageOf, ServiceError, systemCodeOf } from '../../core/errors.ts';

/** What messages name. */
export interface Place {
  /** The endpoint, or Amazon S3. */
  readonly store: string;
  readonly bucket: string;
  readonly region: string;
}

type Explanation = (place: Place, error: unknown) => string;

const CREDENTIALS: Explanation = ({ store }) =>
  `${store} does not know the access key: check backup.access_key_id, or where the credentials come from when it is not set.`;

const REGION: Explanation = ({ store, bucket, region }, error) =>
  `${store} does not take ${region} as the region of the bucket ${bucket} (${messageOf(error)}): set backup.region.`;

/** By the code that the store answers with. None of these passes by waiting. */
const REFUSALS: Readonly<Record<string, Explanation>> = {
  InvalidAccessKeyId: CREDENTIALS,
  InvalidAccessKeyID: CREDENTIALS,
  // The name that versitygw gives it.
  XAdminUserNotFound: CREDENTIALS,
  SignatureDoesNotMatch: ({ store }) =>
    `${store} does not accept the signature: check backup.secret_access_key; it does not belong to the access key.`,
  ExpiredToken: ({ store }) => `${store} says that the credentials have ended: renew backup.session_token.`,
  InvalidToken: ({ store }) => `${store} does not accept the session token: check backup.session_token.`,
  RequestTimeTooSkewed: ({ store }) =>
    `The clock of this machine differs too much from that of ${store}: set the clock, best by NTP.`,
  NoSuchBucket: ({ store, bucket }) =>
    `There is no bucket ${bucket} at ${store}: create it, or set backup.bucket to one that exists.`,
  AccessDenied: ({ store, bucket }) =>
    `${store} denies access to the bucket ${bucket}: give the credentials s3:PutObject, s3:GetObject, s3:ListBucket, s3:ListBucketMultipartUploads and s3:AbortMultipartUpload (and the use of the key, with aws:kms).`,
  PermanentRedirect: REGION,
  AuthorizationHeaderMalformed: REGION,
  CredentialsProviderError: () =>
    'There are no credentials for the backup: set backup.access_key_id and backup.secret_access_key, or give the machine or the pod a role.',
  ObjectNotInActiveTier: NOT_ACTIVE,
  InvalidObjectState: NOT_ACTIVE,
};

function NOT_ACTIVE({ bucket }: Place): string {
  return `An object in the bucket ${bucket} was moved to an archive that does not answer at once: have the store bring it back first.`;
}

/** Answers that say nothing of the request itself. */
const TROUBLED = new Set(['SlowDown', 'InternalError', 'ServiceUnavailable', 'RequestTimeout', 'Throttling']);

/** Node.js names of certificates that are not accepted. */
const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|ERR_TLS|EPROTO/;

/** @param what was tried, such as `store logs/x.jsonl.gz` */
export function explain(error: unknown, place: Place, what: string): ServiceError {
  const code = codeOf(error);
  const details = { store: place.store, bucket: place.bucket, code };
  const refusal = REFUSALS[code];
  if (refusal !== undefined) return new ServiceError('STORE_REFUSED', refusal(place, error), details, error);
  const status = statusOf(error);
  if (status === undefined || isTroubled(status) || TROUBLED.has(code)) {
    return unreachable(error, place, what);
  }
  return new ServiceError(
    'STORE_REFUSED',
    `${place.store} refuses to ${what} (${code}: ${messageOf(error)}): check the section backup of the configuration against what this store offers.`,
    details,
    error,
  );
}

/** 501 says that the store cannot do what is asked, now or later. */
function isTroubled(status: number): boolean {
  return status === 429 || (status >= 500 && status !== 501);
}

function unreachable(error: unknown, place: Place, what: string): ServiceError {
  const code = codeOf(error);
  const details = { store: place.store, bucket: place.bucket, code };
  if (CERTIFICATE.test(code)) {
    return new ServiceError(
      'STORE_REFUSED',
      `The certificate of ${place.store} is not accepted (${code}): check backup.endpoint, and name its authority in NODE_EXTRA_CA_CERTS.`,
      details,
      error,
    );
  }
  const reason = messageOf(error) === '' ? code : messageOf(error);
  return new ServiceError(
    'STORE_UNREACHABLE',
    `Could not ${what} at ${place.store} (${reason}): check that the store runs, that backup.endpoint is right, and that the network lets this machine reach it.`,
    details,
    error,
  );
}

/** HTTP status of the answer; undefined when there was none. */
export function statusOf(error: unknown): number | undefined {
  const metadata: unknown =
    typeof error === 'object' && error !== null && '$metadata' in error && error.$metadata;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return undefined;
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined;
}

function codeOf(error: unknown): string {
  // Of several addresses that were tried, the first says enough.
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  return systemCodeOf(error) ?? (error instanceof Error ? error.name : 'unknown');
}
