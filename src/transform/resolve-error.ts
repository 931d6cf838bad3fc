/** Whether a record carries an exception, and what class of error it reports. */
import type { Candidates } from './candidates.ts';
import { errorClassByName, errorClassOf, errorKeywords } from './error-class.ts';
import { EXCEPTION_FORM } from './fields/exception-names.ts';
import { ROLE } from './fields/field-rule.ts';
import { decodeString, KIND } from './json-bytes.ts';
import { JsonCursor } from './json-cursor.ts';
import type { RecordFields } from './record-fields.ts';
import type { SourceSpan } from './source-span.ts';

/** What stack traces of the common languages contain. */
const STACK_MARKS = [
  'Traceback (most',
  '\\n\\tat ',
  '\\n    at ',
  '\\n  at ',
  '\\n\\t/',
  'Exception: ',
  'Error: ',
];
const MAX_CLASS_NAME_BYTES = 16;

/** Whether the candidate in `slot` says that something was thrown. */
function isException(bytes: Uint8Array, candidates: Candidates, slot: number): boolean {
  const start = candidates.start[slot] as number;
  const end = candidates.end[slot] as number;
  const kind = candidates.kind[slot] as number;
  if (kind === KIND.number) return false;
  if (kind !== KIND.string) return new JsonCursor(bytes, start, end).next();
  if (end - start === 3 && bytes[start + 1] === 0x2d) return false;
  if (candidates.variant[slot] !== EXCEPTION_FORM.maybeStack) return true;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start);
  return STACK_MARKS.some((mark) => text.includes(mark));
}

export class ErrorResolver {
  hasException = false;
  /** Index in ERROR_CLASSES, -1 when the record reports no error. */
  classIndex = -1;
  /** The member that names the class already, else -1. */
  member = -1;

  /**
   * Judges a record. A class that the record names itself is kept and counts as an exception, so that
   * a stored line read again gives the same line.
   */
  resolve(bytes: Uint8Array, fields: RecordFields, isErrorLevel: boolean, message: SourceSpan): void {
    this.hasException = false;
    this.classIndex = -1;
    this.member = -1;
    const named = fields.candidates[ROLE.errorClass] as Candidates;
    if (named.count > 0 && this.#takeNamed(bytes, named)) return;
    const exceptions = fields.candidates[ROLE.exception] as Candidates;
    let keywords = 0;
    for (let slot = 0; slot < exceptions.count; slot++) {
      if (!isException(bytes, exceptions, slot)) continue;
      this.hasException = true;
      keywords |= errorKeywords(bytes, exceptions.start[slot] as number, exceptions.end[slot] as number);
    }
    if (!isErrorLevel && !this.hasException) return;
    if (message.isPresent) keywords |= errorKeywords(bytes, message.start, message.end);
    this.classIndex = errorClassOf(keywords);
  }

  #takeNamed(bytes: Uint8Array, named: Candidates): boolean {
    const slot = named.best(-1);
    const start = named.start[slot] as number;
    const end = named.end[slot] as number;
    if (named.kind[slot] !== KIND.string || end - start > MAX_CLASS_NAME_BYTES) return false;
    const index = errorClassByName(decodeString(bytes, start + 1, end - 1));
    if (index < 0) return false;
    this.classIndex = index;
    this.hasException = true;
    this.member = named.member[slot] as number;
    return true;
  }
}
