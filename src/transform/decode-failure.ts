import type { QuarantineReason } from '../core/quarantine.ts';

/** The quarantine reasons that concern a whole record batch rather than one record. */
export type BatchFailureReason = Extract<
  QuarantineReason,
  'corrupt_batch' | 'unsupported_codec' | 'decompression_limit'
>;

/**
 * Why the bytes of a record batch could not be decoded. Returned, never thrown: any producer can send
 * such bytes, so this is an expected outcome, and the batch goes to quarantine with `reason` and `detail`.
 */
export class DecodeFailure {
  readonly reason: BatchFailureReason;
  readonly detail: string;

  constructor(reason: BatchFailureReason, detail: string) {
    this.reason = reason;
    this.detail = detail;
  }
}

/** The commonest failure: bytes that are not what their format says. */
export function corrupt(detail: string): DecodeFailure {
  return new DecodeFailure('corrupt_batch', detail);
}

/** More output than the configured limit for one batch. */
export function overLimit(maxOutputBytes: number): DecodeFailure {
  return new DecodeFailure(
    'decompression_limit',
    `the batch decompresses to more than the limit of ${maxOutputBytes} bytes`,
  );
}
