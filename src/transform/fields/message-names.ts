/** Names of the text for people, best first. */
import type { FieldName } from './field-rule.ts';

export const MESSAGE_FORM = {
  text: 0,
  /** May also be an object that holds the text, or an array that begins with it. */
  structured: 1,
  /** Counts only as an array: the arguments of the call (log4js, consola). */
  arguments: 2,
  /** Counts only as a string, because a number under this name means something else. */
  string: 3,
} as const;

export const MESSAGE_NAMES: readonly FieldName[] = [
  ['message', MESSAGE_FORM.structured],
  ['msg', MESSAGE_FORM.structured],
  ['@message', MESSAGE_FORM.structured],
  'short_message',
  '@m',
  'rendered_message',
  'formatted_message',
  ['log_message', MESSAGE_FORM.structured],
  ['body', MESSAGE_FORM.structured],
  ['content', MESSAGE_FORM.structured],
  'text_payload',
  'event_message',
  '@mt',
  'message_template',
  'log_format',
  'raw_message',
  'event',
  '0',
  ['data', MESSAGE_FORM.arguments],
  'full_message',
  'error_message',
  'error.message',
  'err.message',
  'exception.message',
  ['m', MESSAGE_FORM.string],
  'result_description',
  'data.baseData.message',
];

/** Names that lose even against what is nested: loguru and Fluent Bit put a whole line there. */
export const LATE_MESSAGE_NAMES: readonly FieldName[] = [
  'log',
  'text',
  'event.original',
  'description',
  ['args', MESSAGE_FORM.arguments],
];
