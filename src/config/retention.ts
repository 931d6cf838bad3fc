/** From the section `retention` as written to a policy. */
import { LOG_FILES, type LogFile } from '../core/files.ts';
import type { RetentionPolicy } from '../core/retention-policy.ts';
import type { Settings } from './schema.ts';

export function retentionFrom(retention: Settings['retention']): RetentionPolicy {
  const ages = LOG_FILES.map((file): [LogFile, number | null] => [
    file,
    retention[file] || retention.max_age || null,
  ]);
  return {
    maxAgeMs: Object.fromEntries(ages) as Record<LogFile, number | null>,
    maxTotalBytes: retention.max_total_size || null,
    diskWatermark: retention.disk_watermark === 100 ? null : retention.disk_watermark / 100,
  };
}
