/** The section `retention`. */
import { z } from 'zod';
import { bytes, duration, integer } from './setting.ts';

const AGES = { default: '0s', min: '0s', max: '36500d' } as const;

function ageOf(file: string) {
  return duration(AGES, `The same for ${file}. 0s: as max_age; 36500d keeps them.`);
}

export const retention = z.strictObject({
  max_age: duration(
    AGES,
    'Sealed files are removed this long after they were closed. 0s keeps them. Nothing goes that a configured backup has not confirmed.',
  ),
  service_logs: ageOf('service_logs'),
  error_logs: ageOf('error_logs'),
  performance_logs: ageOf('performance_logs'),
  audit_logs: ageOf('audit_logs'),
  quarantine: ageOf('the quarantine'),
  max_total_size: bytes(
    { default: '0B', min: '0B', max: '1024TiB' },
    'Files of an instance that are together larger lose those that would be removed next, the oldest first. 0B: no limit.',
  ),
  disk_watermark: integer(
    { default: 100, min: 50, max: 100 },
    'Percent of the disk in use above which the files that would be removed next go now, and above which reading halts when nothing may go. 100: off. Other programs fill the disk, too: they would cost you logs.',
  ),
});
