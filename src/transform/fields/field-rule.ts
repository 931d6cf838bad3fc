/**
 * How a producer's field becomes a canonical one. Every canonical field has a file beside this one with
 * its names in order of precedence; a name's place in that list is its rank, lower wins, and of equal
 * ranks the later member wins, as in `JSON.parse`.
 *
 * Names are compared without case, `_`, `-`, `.` and spaces. A name written with dots (`trace.id`) also
 * matches nested objects (`"trace":{"id":...}`), which rank behind every member of the record itself.
 */
export const ROLE = {
  none: 0,
  timestamp: 1,
  service: 2,
  level: 3,
  message: 4,
  correlation: 5,
  request: 6,
  exception: 7,
  errorClass: 8,
  extra: 9,
} as const;

/** Added to the rank of what was found in a nested path, and inside a container of other fields. */
export const NESTED_RANK = 100;
export const CONTAINED_RANK = 200;

export interface FieldRule {
  readonly role: number;
  readonly rank: number;
  /** How to read the value; the meaning belongs to the role (LEVEL_SCALE, ID_FORM, ...); 0 is plain. */
  readonly variant: number;
}

/** A name, or a name with its variant. */
export type FieldName = string | readonly [name: string, variant: number];

/** A field name as it is compared. */
export function normaliseName(name: string): string {
  return name.toLowerCase().replace(/[_\-. ]/g, '');
}
