/** Names of the severity, best first, with the scale that a number under that name is on. */
import type { FieldName } from './field-rule.ts';

export const LEVEL_SCALE = {
  /** `level`: 0-7 syslog and GELF, 10-60 pino and bunyan, 100-600 Monolog, 5000-50000 log4j-like. */
  common: 0,
  /** Only a known name counts, because numbers under this name mean something else. */
  nameOnly: 1,
  /** 0-7 syslog, 8-24 OpenTelemetry, 100-800 Google Cloud. */
  severity: 2,
  openTelemetry: 3,
  /** Python's 10-50; TRACE below 10. */
  python: 4,
  /** 0-6 from TRACE: tslog with silly at 0. */
  tslog: 5,
  /** Application Insights: 0 Verbose to 4 Critical. */
  azure: 6,
  /** facility * 8 + severity. */
  syslogPriority: 7,
  /** MySQL error log: 0 system, 1 error, 2 warning, 3 note. */
  mysql: 8,
  syslog: 9,
  /** 0-5 from fatal and error to trace; told by the rest of the record (see resolve-level.ts). */
  consola: 10,
} as const;

export const LEVEL_NAMES: readonly FieldName[] = [
  'level',
  ['severity', LEVEL_SCALE.severity],
  ['severity_text', LEVEL_SCALE.nameOnly],
  ['level_name', LEVEL_SCALE.nameOnly],
  'log.level',
  '@level',
  'lvl',
  ['@l', LEVEL_SCALE.nameOnly],
  ['level_str', LEVEL_SCALE.nameOnly],
  ['log_level_name', LEVEL_SCALE.nameOnly],
  ['error_severity', LEVEL_SCALE.nameOnly],
  ['severity_number', LEVEL_SCALE.openTelemetry],
  ['severity_level', LEVEL_SCALE.azure],
  ['data.baseData.severityLevel', LEVEL_SCALE.azure],
  'context.logLevel',
  ['syslog.severity', LEVEL_SCALE.syslog],
  ['log.syslog.severity.name', LEVEL_SCALE.nameOnly],
  ['log.syslog.severity.code', LEVEL_SCALE.syslog],
  ['syslog_severity_text', LEVEL_SCALE.nameOnly],
  ['sev', LEVEL_SCALE.severity],
  ['priority', LEVEL_SCALE.syslog],
  'level_value',
  ['levelno', LEVEL_SCALE.python],
  ['level_number', LEVEL_SCALE.python],
  ['log_level_id', LEVEL_SCALE.tslog],
  ['pri', LEVEL_SCALE.syslogPriority],
  ['prio', LEVEL_SCALE.mysql],
  ['s', LEVEL_SCALE.nameOnly],
  ['l', LEVEL_SCALE.nameOnly],
  ['label', LEVEL_SCALE.nameOnly],
  ['status', LEVEL_SCALE.nameOnly],
];
