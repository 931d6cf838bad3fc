import type { RetentionPolicy } from '../../src/core/retention-policy.ts';

/** Nothing is ever removed. */
export const KEEP_ALL: RetentionPolicy = {
  maxAgeMs: {
    service_logs: null,
    error_logs: null,
    performance_logs: null,
    audit_logs: null,
    quarantine: null,
  },
  maxTotalBytes: null,
  diskWatermark: null,
};
