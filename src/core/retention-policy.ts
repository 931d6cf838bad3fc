/** What may be removed of the archive, and when. */
import type { LogFile } from './files.ts';

export interface RetentionPolicy {
  /** Sealed segments are removed this long after they were closed; null keeps them. */
  readonly maxAgeMs: Readonly<Record<LogFile, number | null>>;
  /** All files of the instance together, active ones included; null for no limit. */
  readonly maxTotalBytes: number | null;
  /** Share of the file system, 0 to 1, above which the segments that would go next go now; null for none. */
  readonly diskWatermark: number | null;
}
