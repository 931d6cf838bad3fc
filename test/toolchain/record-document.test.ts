/** The examples of README.md and docs/record.md are what `explain` prints; its tables are those of the code. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { QUARANTINE_REASONS } from '../../src/core/quarantine.ts';
import { ERROR_CLASSES } from '../../src/transform/error-class.ts';
import { EXCEPTION_NAMES } from '../../src/transform/fields/exception-names.ts';
import type { FieldName } from '../../src/transform/fields/field-rule.ts';
import { CORRELATION_NAMES, REQUEST_NAMES } from '../../src/transform/fields/id-names.ts';
import { LEVEL_NAMES } from '../../src/transform/fields/level-names.ts';
import { LATE_MESSAGE_NAMES, MESSAGE_NAMES } from '../../src/transform/fields/message-names.ts';
import { SERVICE_NAMES } from '../../src/transform/fields/service-names.ts';
import { TIMESTAMP_NAMES } from '../../src/transform/fields/timestamp-names.ts';
import { runCommandLine } from '../helpers/command-line.ts';
import { PROJECT_DIRECTORY } from '../helpers/service.ts';
import { codeBlocks, codesIn, tableRows } from './documents.ts';

const RECORD = 'docs/record.md';
const LISTS: readonly (readonly [field: string, names: readonly FieldName[]])[] = [
  ['timestamp', TIMESTAMP_NAMES],
  ['service', SERVICE_NAMES],
  ['level', LEVEL_NAMES],
  ['message', MESSAGE_NAMES],
  ['message, last of all', LATE_MESSAGE_NAMES],
  ['correlation_id', CORRELATION_NAMES],
  ['request_id', REQUEST_NAMES],
  ['exception', EXCEPTION_NAMES],
];

const read = (name: string): string => readFileSync(join(PROJECT_DIRECTORY, name), 'utf8');

describe('the examples', () => {
  for (const document of ['README.md', RECORD]) {
    it(`of ${document} are what the command prints`, async () => {
      const examples = codeBlocks(read(document), 'console');
      assert.ok(examples.length > 0);
      for (const example of examples) {
        const [, line = '', expected = ''] =
          /^\$ echo '(.*)' \| npx log-consumer explain\n(.*)$/s.exec(example) ?? [];
        const { output } = await runCommandLine(['explain'], {}, `${line}\n`);
        assert.equal(output.trimEnd(), expected);
      }
    });
  }
});

describe('the tables of docs/record.md', () => {
  const rows = new Map(
    tableRows(read(RECORD), 'field').map(([field = '', names = '']) => [field.replaceAll('`', ''), names]),
  );
  for (const [field, names] of LISTS) {
    it(`list the names for ${field} in their order`, () => {
      const expected = names.map((name) => (typeof name === 'string' ? name : name[0]));
      assert.deepEqual(codesIn(rows.get(field) ?? ''), expected);
    });
  }

  it('list the reasons of the quarantine', () => {
    const reasons = tableRows(read(RECORD), 'reason').flatMap(([reason = '']) => codesIn(reason));
    assert.deepEqual(reasons, [...QUARANTINE_REASONS]);
  });

  it('list the classes of errors in their order', () => {
    const [paragraph = ''] = /the first of this list counts:[^.]*\./s.exec(read(RECORD)) ?? [];
    assert.deepEqual(codesIn(paragraph), [...ERROR_CLASSES]);
  });
});
