/** Names of fields that hold an exception. Their values stay in `extra`. */
import type { FieldName } from './field-rule.ts';

export const EXCEPTION_FORM = {
  plain: 0,
  /** Counts when it looks like a stack trace, because the name has other uses (GELF's `full_message`). */
  maybeStack: 1,
} as const;

export const EXCEPTION_NAMES: readonly FieldName[] = [
  'error',
  'err',
  'exception',
  'exc_info',
  'exc_text',
  'exc',
  'thrown',
  'throwable',
  ['stack', EXCEPTION_FORM.maybeStack],
  'stack_trace',
  '@x',
  'error_stack',
  'error_details',
  'error.type',
  'error.kind',
  'error.stack',
  'error.stack_trace',
  'err.stack',
  'exception.type',
  'exception.class',
  'exception.message',
  'exception.stacktrace',
  'exception_details',
  'exception_info',
  'exception_name',
  'exc_type',
  'data.baseData.exceptions',
  'error_verbose',
  'native_error',
  'backtrace',
  'traceback',
  'err_msg',
  'errors',
  'exceptions',
  'error_detail',
  ['full_message', EXCEPTION_FORM.maybeStack],
];
