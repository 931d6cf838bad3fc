/** Names of the text for people, best first. */
import type { FieldName } from './field-rule.ts';

export const MESSAGE_FORM = {
  text: 0,
  /** May also be an object that holds the text, or an array that begins with it. */
  structured: 1,
  /** Counts only as an array: the arguments of the call (log4js). */
  arguments: 2,
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
  'text_payload',
  'event_message',
  'log',
  '@mt',
  'message_template',
  'event',
  '0',
  ['data', MESSAGE_FORM.arguments],
  'full_message',
  'error_message',
  'error.message',
  'err.message',
  'exception.message',
];

/** Names that lose even against what is nested: loguru puts a whole formatted line there. */
export const LATE_MESSAGE_NAMES: readonly FieldName[] = ['text', 'event.original'];
