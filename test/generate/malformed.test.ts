import assert from 'node:assert/strict';
import { isUtf8 } from 'node:buffer';
import { describe, it } from 'node:test';
import { type MalformedKind, malformedRecord } from '../../src/generate/malformed.ts';
import { Random } from '../../src/generate/random.ts';

const LINE = '{"timestamp":"2026-11-23T09:00:00.033Z","message":"payment captured","city":"Zürich"}';

function samples(kind: MalformedKind): Buffer[] {
  const random = new Random(9);
  return Array.from({ length: 200 }, () => malformedRecord(kind, LINE, random));
}

describe('malformedRecord', () => {
  it('writes plain text that is not JSON, and lines cut off before their end', () => {
    for (const kind of ['not_json', 'cut_off'] as const) {
      for (const bytes of samples(kind)) {
        assert.ok(bytes.length > 0);
        assert.throws(() => JSON.parse(bytes.toString()), SyntaxError, bytes.toString());
      }
    }
  });

  it('writes JSON that is not an object', () => {
    for (const bytes of samples('not_object')) {
      const value: unknown = JSON.parse(bytes.toString());
      assert.ok(typeof value !== 'object' || value === null || Array.isArray(value));
    }
  });

  it('writes bytes that are not UTF-8 but would else be an object', () => {
    for (const bytes of samples('invalid_utf8')) {
      assert.equal(isUtf8(bytes), false);
      assert.equal(typeof JSON.parse(bytes.toString()), 'object');
    }
  });

  it('writes empty records, and objects of 3000 levels', () => {
    for (const bytes of samples('empty')) assert.equal(bytes.length, 0);
    const [tooDeep] = samples('too_deep');
    assert.equal(tooDeep?.toString().split('[').length, 3001);
  });
});
