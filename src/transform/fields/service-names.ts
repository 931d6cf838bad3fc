/**
 * Names of the service, best first. Logger, module and program names are not services, except where the
 * library puts the service there: `name` in pino and bunyan, the program of a syslog record.
 */
import type { FieldName } from './field-rule.ts';

export const SERVICE_FORM = {
  plain: 0,
  /** `program[pid]` or `program:` of syslog. */
  syslogTag: 1,
  /** The service only in records made by pino or bunyan (see record-fields.ts). */
  loggerOfPino: 2,
  /** At least two characters: MongoDB writes `S` for shard and `R` for router. */
  word: 3,
} as const;

export const SERVICE_NAMES: readonly FieldName[] = [
  'service',
  'service.name',
  'service_id',
  ['svc', SERVICE_FORM.word],
  'svc_name',
  'microservice',
  'dd.service',
  'service_context.service',
  'application',
  'application_name',
  'app',
  'app.name',
  'app_id',
  'spring.application.name',
  'app_role_name',
  'entity.name',
  'syslog_identifier',
  'program_name',
  'program',
  ['syslog_tag', SERVICE_FORM.syslogTag],
  ['ident', SERVICE_FORM.syslogTag],
  'kubernetes.container_name',
  'container_name',
  'container.name',
  'k8s.container.name',
  ['name', SERVICE_FORM.loggerOfPino],
  'otel_service_name',
  'elasticapm_service_name',
  'cloud_role_name',
  'ai.cloud.role',
];
