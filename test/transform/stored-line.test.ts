import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { STORED_FIELDS, StoredLine } from '../../src/transform/stored-line.ts';

const STRINGS = STORED_FIELDS.filter((name) => name !== 'extra');

function read(text: string): Readonly<Record<string, string>> | null {
  const bytes = Buffer.from(`##${text}##`);
  const line = new StoredLine();
  if (!line.read(bytes, 2, bytes.length - 2)) return null;
  const found = STORED_FIELDS.map((name, field) => [name, field] as const).filter(([, field]) =>
    line.has(field),
  );
  return Object.fromEntries(
    found.map(([name, field]) => [name, bytes.toString('utf8', line.start[field], line.end[field])]),
  );
}

test('every field of a stored line is found, whatever it holds', () => {
  const strings = fc.record(
    Object.fromEntries(STRINGS.map((name) => [name, fc.string({ unit: 'grapheme' })])),
    { requiredKeys: [] },
  );
  const extras = fc.option(fc.dictionary(fc.string(), fc.jsonValue()), { nil: undefined });
  fc.assert(
    fc.property(strings, extras, (record, extra) => {
      const ordered = Object.fromEntries(
        STRINGS.filter((name) => name in record).map((name) => [name, record[name]]),
      );
      const text = JSON.stringify({ ...ordered, ...(extra === undefined ? {} : { extra }) });
      const expected = Object.entries(ordered).map(([name, value]) => [
        name,
        JSON.stringify(value).slice(1, -1),
      ]);
      if (extra !== undefined) expected.push(['extra', JSON.stringify(extra)]);
      assert.deepEqual(read(text), Object.fromEntries(expected));
    }),
  );
});

const FOREIGN = [
  '',
  '{',
  '[]',
  '{"other":"x"}',
  '{"timestamp":1}',
  '{"timestamp":"x"',
  '{"timestamp":"x"}}',
  '{"timestamp":"x" ,"service":"y"}',
  '{"service":"y","timestamp":"x"}',
  '{"service":"y\\"}',
  '{"extra":[]}',
  '{"extra":{}',
  '{"extra":{},"service":"y"}',
];

for (const text of FOREIGN) {
  test(`${JSON.stringify(text)} is no stored line`, () => {
    const found = read(text);
    // What follows `extra` is not looked at here; the scanner of its content refuses it.
    if (text.startsWith('{"extra":{}')) assert.notDeepEqual(found, { extra: '{}' });
    else assert.equal(found, null);
  });
}
