/** gzip and zstd, both in one call of `node:zlib` that stops at the output limit. */
import { constants, gunzipSync, type ZlibOptions, zstdDecompressSync } from 'node:zlib';
import { messageOf, systemCodeOf } from '../../core/errors.ts';
import { corrupt, type DecodeFailure, overLimit } from '../decode-failure.ts';

/** Logs shrink to a sixth or less; output beyond this guess costs one more chunk and a copy. */
const EXPECTED_EXPANSION = 12;
const MIN_CHUNK_BYTES = 16 * 1024;

/**
 * The content of one or several gzip members.
 * @returns the content, at most `maxOutputBytes` long, or why there is none.
 */
export function gunzip(input: Uint8Array, maxOutputBytes: number): Uint8Array | DecodeFailure {
  return bounded('gzip', gunzipSync, input, maxOutputBytes);
}

/**
 * The content of one or several zstd frames.
 * @returns the content, at most `maxOutputBytes` long, or why there is none.
 */
export function unzstd(input: Uint8Array, maxOutputBytes: number): Uint8Array | DecodeFailure {
  return bounded('zstd', zstdDecompressSync, input, maxOutputBytes);
}

function bounded(
  name: string,
  decompress: (input: Uint8Array, options: Pick<ZlibOptions, 'maxOutputLength' | 'chunkSize'>) => Uint8Array,
  input: Uint8Array,
  maxOutputBytes: number,
): Uint8Array | DecodeFailure {
  const expectedBytes = Math.min(input.length * EXPECTED_EXPANSION, maxOutputBytes);
  const chunkSize = Math.max(expectedBytes, MIN_CHUNK_BYTES, constants.Z_MIN_CHUNK);
  try {
    return decompress(input, { maxOutputLength: maxOutputBytes, chunkSize });
  } catch (thrown) {
    if (systemCodeOf(thrown) === 'ERR_BUFFER_TOO_LARGE') return overLimit(maxOutputBytes);
    return corrupt(`${name}: ${messageOf(thrown)}`);
  }
}
