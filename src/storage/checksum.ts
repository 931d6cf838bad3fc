import { crc32c } from '@node-rs/crc32';

/**
 * CRC-32C (Castagnoli, RFC 3720 appendix B.4) of `bytes`, continued from `state`, the checksum of
 * everything before them. Appending to a file therefore never reads it again.
 */
export function extendChecksum(state: number, bytes: Uint8Array): number {
  return crc32c(bytes, state);
}

/** Text form used in checkpoint and fact files: `crc32c:` and eight hexadecimal digits. */
export function formatChecksum(state: number): string {
  return `crc32c:${(state >>> 0).toString(16).padStart(8, '0')}`;
}

/** Inverse of `formatChecksum`; undefined for any other text. */
export function parseChecksum(text: string): number | undefined {
  const match = /^crc32c:([0-9a-f]{8})$/.exec(text);
  return match?.[1] === undefined ? undefined : Number.parseInt(match[1], 16);
}
