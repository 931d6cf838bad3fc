import assert from 'node:assert/strict';
import { test } from 'node:test';
import { messageOf, systemCodeOf } from '../../src/core/errors.ts';

test('a full quota, for which Node has no name, is called EDQUOT', () => {
  const unknown = 'Unknown system error -122';
  const error = Object.assign(new Error(`${unknown}: ${unknown}, write`), { errno: -122, code: unknown });
  assert.equal(systemCodeOf(error), 'EDQUOT');
  assert.equal(messageOf(error), 'EDQUOT: disk quota exceeded, write');
});

test('any other system error keeps the name and the text that Node gives it', () => {
  const error = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  assert.equal(systemCodeOf(error), 'ENOSPC');
  assert.equal(messageOf(error), 'ENOSPC: no space left on device, write');
});
