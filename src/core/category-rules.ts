/**
 * Which records belong to which category besides `service_logs`. The rules are configuration
 * (`categories` in config.yaml); these are the defaults.
 *
 * Field names are compared without case, `_`, `-` and `.`, at the top level and one level down,
 * and only fields whose value is not null count.
 */
import type { Category } from './files.ts';
import type { Level } from './level.ts';

export interface CategoryRule {
  /** Every record at or above this level; null for none. */
  readonly minLevel: Level | null;
  /** Every record that carries an exception. */
  readonly exception: boolean;
  /** Every record that has one of these fields. */
  readonly fields: readonly string[];
  /** Every record that has a numeric field whose name ends like one of these. */
  readonly numericFieldEndings: readonly string[];
  /** Every record in which the named field is a string equal, without case, to one of the values. */
  readonly values: Readonly<Record<string, readonly string[]>>;
}

export type CategoryRules = Readonly<Record<Category, CategoryRule>>;

export const DEFAULT_CATEGORY_RULES: CategoryRules = {
  error_logs: { minLevel: 'ERROR', exception: true, fields: [], numericFieldEndings: [], values: {} },
  performance_logs: {
    minLevel: null,
    exception: false,
    fields: ['duration', 'latency', 'elapsed', 'response_time', 'request_time', 'took', 'metrics', 'metric'],
    numericFieldEndings: [
      'duration',
      'duration_ms',
      'latency',
      'latency_ms',
      'elapsed',
      'elapsed_ms',
      'elapsed_milliseconds',
      'response_time',
      'request_time',
      'execution_time',
      'processing_time',
      'cpu_percent',
      'memory_bytes',
      'memory_mb',
      'throughput',
      'rps',
      'qps',
    ],
    values: {
      type: ['metric', 'metrics', 'performance', 'timing'],
      category: ['metric', 'performance'],
      event_type: ['metric', 'performance', 'timing'],
    },
  },
  audit_logs: {
    minLevel: null,
    exception: false,
    fields: ['audit', 'audit_event', 'audit_id', 'security_event', 'compliance', 'compliance_event'],
    numericFieldEndings: [],
    values: {
      type: ['audit', 'security', 'compliance'],
      category: ['audit', 'security', 'compliance'],
      event_type: [
        'audit',
        'security',
        'compliance',
        'authentication',
        'authorization',
        'login',
        'logout',
        'login_failed',
        'access_denied',
        'permission_change',
        'role_change',
        'password_change',
        'data_access',
        'data_export',
        'data_deletion',
      ],
      event_category: ['audit', 'security', 'compliance', 'authentication', 'iam'],
      log_type: ['audit', 'security', 'compliance'],
      logger: ['audit', 'security', 'compliance'],
      tag: ['audit', 'security', 'compliance'],
    },
  },
};
