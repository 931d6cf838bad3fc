/** Decompression of a record batch's records, with a limit on the output of every codec. */
import { DecodeFailure, overLimit } from '../decode-failure.ts';
import { unlz4 } from './lz4.ts';
import { unsnappy } from './snappy.ts';
import { gunzip, unzstd } from './zlib.ts';

/** Bits 0 to 2 of a record batch's attributes (KIP-98, zstd by KIP-110). */
export const CODEC = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const;

/**
 * The records of a batch, decompressed.
 * @param codec bits 0 to 2 of the batch's attributes
 * @param input the compressed bytes; LZ4 writes to them while it works, and leaves them as they were
 * @param maxOutputBytes the limit on the result, whatever the codec; with no codec nothing is produced,
 *   so there is nothing to limit
 * @returns the bytes (without a codec `input` itself), valid until the next call, or why there are none
 */
export function decompress(
  codec: number,
  input: Uint8Array,
  maxOutputBytes: number,
): Uint8Array | DecodeFailure {
  const output = decompressAtMost(codec, input, maxOutputBytes);
  // The codecs stop by themselves; this holds whatever a later version of a library does.
  if (codec !== CODEC.none && output instanceof Uint8Array && output.length > maxOutputBytes) {
    return overLimit(maxOutputBytes);
  }
  return output;
}

function decompressAtMost(
  codec: number,
  input: Uint8Array,
  maxOutputBytes: number,
): Uint8Array | DecodeFailure {
  switch (codec) {
    case CODEC.none:
      return input;
    case CODEC.gzip:
      return gunzip(input, maxOutputBytes);
    case CODEC.snappy:
      return unsnappy(input, maxOutputBytes);
    case CODEC.lz4:
      return unlz4(input, maxOutputBytes);
    case CODEC.zstd:
      return unzstd(input, maxOutputBytes);
    default:
      return new DecodeFailure('unsupported_codec', `unknown compression codec ${codec}`);
  }
}
