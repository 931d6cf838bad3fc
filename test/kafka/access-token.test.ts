import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readToken } from '../../src/kafka/access-token.ts';

const NOW = 1_700_000_000_000;

function jwt(claims: object): string {
  return `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`;
}

test('a JWT says itself when it ends', () => {
  const value = jwt({ exp: 1_700_000_600 });
  assert.deepEqual(readToken(`${value}\n`, NOW), { value, expiresAt: NOW + 600_000 });
});

test('an answer of an identity provider has the token and its lifetime', () => {
  const answer = JSON.stringify({ access_token: 'abc.~+/-_=', token_type: 'Bearer', expires_in: 300 });
  assert.deepEqual(readToken(answer, NOW), { value: 'abc.~+/-_=', expiresAt: NOW + 300_000 });
});

test('a token without an end is used for a minute', () => {
  assert.deepEqual(readToken('opaque', NOW), { value: 'opaque', expiresAt: NOW + 60_000 });
  assert.deepEqual(readToken(jwt({ exp: 'soon' }), NOW)?.expiresAt, NOW + 60_000);
});

test('what cannot be sent as a token is none', () => {
  const refused = [
    '',
    'two words',
    'a\u0001auth=Bearer b',
    '{"access_token":5}',
    '{"error":"x"}',
    '"quoted"',
    'é',
  ];
  for (const text of refused) assert.equal(readToken(text, NOW), undefined, text);
});
