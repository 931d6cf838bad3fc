/**
 * One growing block of memory per thread, in which the pieces of a decompressed batch are put together.
 * It is used again for every batch: fresh memory of this size would have to be zeroed and collected
 * each time. Its content is valid until the next batch is decompressed.
 */
import { MAX_KEPT_BATCH_BYTES } from '../../core/limits.ts';

let scratch = new Uint8Array(256 * 1024);

/** At least `bytes` of memory, its first `keptBytes` as they were in the scratch before. */
export function scratchOf(bytes: number, keptBytes = 0): Uint8Array {
  const isLargeEnough = scratch.length >= bytes;
  const isTooLargeToKeep =
    scratch.length > MAX_KEPT_BATCH_BYTES && bytes <= MAX_KEPT_BATCH_BYTES && keptBytes === 0;
  if (isLargeEnough && !isTooLargeToKeep) return scratch;
  const replacement = new Uint8Array(
    isLargeEnough ? MAX_KEPT_BATCH_BYTES : Math.max(bytes, scratch.length * 2),
  );
  replacement.set(scratch.subarray(0, keptBytes));
  scratch = replacement;
  return scratch;
}
