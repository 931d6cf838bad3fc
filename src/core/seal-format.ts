/** How a sealed segment can be compressed. */
export const SEAL_FORMATS = ['gzip', 'zstd', 'lz4'] as const;

export type SealFormat = (typeof SEAL_FORMATS)[number];
