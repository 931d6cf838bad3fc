/**
 * The kinds of log file, in the order in which their byte regions stand in a transform result.
 * Every stored record is in `service_logs`; the categories after it repeat some of those lines.
 */
export const LOG_FILES = [
  'service_logs',
  'error_logs',
  'performance_logs',
  'audit_logs',
  'quarantine',
] as const;

export type LogFile = (typeof LOG_FILES)[number];

/** The categories a record can belong to besides `service_logs`. */
export const CATEGORIES = ['error_logs', 'performance_logs', 'audit_logs'] as const;

export type Category = (typeof CATEGORIES)[number];

/** Name of the active file of a kind, inside the output directory. */
export function activeFileName(file: LogFile): string {
  return `${file}.jsonl`;
}
