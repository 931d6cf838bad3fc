/** Records that no consumer can accept as they are: what broken producers really send. */
import type { Random } from './random.ts';

/** Why the record is malformed; the names of the first five agree with the quarantine's reasons. */
export const MALFORMED_KINDS = [
  'not_json',
  'not_object',
  'empty',
  'too_deep',
  'invalid_utf8',
  'cut_off',
] as const;

export type MalformedKind = (typeof MALFORMED_KINDS)[number];

/** Deeper than any sensible limit on nesting, and still only a few kilobytes. */
const NESTING = 3000;
const TOO_DEEP = `{"message":"nested without end","payload":${'['.repeat(NESTING)}1${']'.repeat(NESTING)}}`;

const PLAIN_TEXT = [
  'Segmentation fault (core dumped)',
  'WARNING: A terminally deprecated method in java.lang.System has been called',
  "npm warn Unknown env config 'production'. This will stop working in the next major version.",
  '2026-01-09 07:31:22 INFO  started in 4.1 seconds',
];

const NOT_OBJECTS = ['["a","list","of","words"]', '"only a string"', '42', 'null', 'true'];

/** 0xff never occurs in UTF-8, and 0xc3 must be followed by another byte of the character. */
const LATIN1_BYTES = [0xff, 0xc3, 0xe9];

/**
 * Makes one malformed record.
 * @param line a well-formed record of the stream, for the kinds that damage one.
 */
export function malformedRecord(kind: MalformedKind, line: string, random: Random): Buffer {
  switch (kind) {
    case 'not_json':
      return Buffer.from(random.pick(PLAIN_TEXT));
    case 'not_object':
      return Buffer.from(random.pick(NOT_OBJECTS));
    case 'empty':
      return Buffer.alloc(0);
    case 'too_deep':
      return Buffer.from(TOO_DEEP);
    case 'invalid_utf8':
      return Buffer.concat([
        Buffer.from(line.slice(0, -1)),
        Buffer.from(',"city":"Z'),
        Buffer.from([random.pick(LATIN1_BYTES)]),
        Buffer.from('rich"}'),
      ]);
    case 'cut_off':
      return Buffer.from(line.slice(0, 1 + random.below(line.length - 1)));
  }
}
