/** Lines of libraries with the canonical values that have to come of them. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { storedRecord } from './transform-text.ts';

export interface LibraryLine {
  readonly of: string;
  readonly line: string;
  /** Only these fields are compared; undefined: the field has to be absent. */
  readonly expect: Readonly<Record<string, string | undefined>>;
}

/** Makes a test of each line. */
export function testLibraryLines(cases: readonly LibraryLine[]): void {
  for (const { of, line, expect } of cases) {
    it(of, () => {
      const record = storedRecord(line);
      const actual = Object.fromEntries(Object.keys(expect).map((field) => [field, record[field]]));
      assert.deepEqual(actual, expect);
    });
  }
}
