/**
 * Why a record was not accepted. The reason stands in `quarantine.jsonl` and as the label of
 * `logs_dropped_total`, so the set is closed and small.
 */
export const QUARANTINE_REASONS = [
  'not_json',
  'not_object',
  'empty',
  'too_large',
  'too_deep',
  'invalid_utf8',
  'corrupt_batch',
  'unsupported_codec',
  'decompression_limit',
] as const;

export type QuarantineReason = (typeof QUARANTINE_REASONS)[number];
