import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ServiceError } from '../../src/core/errors.ts';
import { type TokenEndpoint, tokenFromEndpoint } from '../../src/kafka/token-endpoint.ts';
import { startTokenServer, type TokenServer } from '../helpers/token-server.ts';

const SECRET = 'p:s s/+%&é';

async function startProvider(
  context: TestContext,
): Promise<{ server: TokenServer; endpoint: TokenEndpoint }> {
  const server = await startTokenServer({ clientId: 'a client', clientSecret: SECRET, lifetimeSeconds: 60 });
  context.after(() => server.close());
  const url = `${server.url}?key=not-shown`;
  return { server, endpoint: { kind: 'url', url, clientId: 'a client', clientSecret: SECRET, scope: null } };
}

async function failureOf(endpoint: TokenEndpoint): Promise<ServiceError> {
  const error: unknown = await tokenFromEndpoint(endpoint).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof ServiceError);
  const shown = JSON.stringify(error.serialise()) + String(error.cause);
  for (const secret of [endpoint.clientSecret, 'Basic', 'not-shown'])
    assert.ok(!shown.includes(secret), shown);
  return error;
}

test('credentials with any characters arrive, and no scope unless configured', async (context) => {
  const { server, endpoint } = await startProvider(context);
  const before = Date.now();
  const { expiresAt } = await tokenFromEndpoint(endpoint);
  assert.ok(expiresAt >= before + 60_000 && expiresAt <= Date.now() + 60_000);
  assert.deepEqual([...(server.requests[0] ?? [])], [['grant_type', 'client_credentials']]);
  await tokenFromEndpoint({ ...endpoint, scope: 'one two' });
  assert.equal(server.requests[1]?.get('scope'), 'one two');
});

test('a refused client is named, without what the provider says beside the code', async (context) => {
  const { endpoint } = await startProvider(context);
  const { code, message } = await failureOf({ ...endpoint, clientSecret: 'wrong' });
  assert.equal(code, 'AUTHENTICATION_FAILED');
  assert.match(message, /refused client "a client" \(invalid_client\)/);
});

test('a provider that is away, answers nonsense, or sends elsewhere', async (context) => {
  const { server, endpoint } = await startProvider(context);
  const answers = [
    ['unavailable', /answered with status 503/],
    ['nonsense', /answered without an access token/],
    ['redirect', /cannot be reached/],
  ] as const;
  for (const [mode, says] of answers) {
    server.mode = mode;
    const { code, message } = await failureOf(endpoint);
    assert.equal(code, 'TOKEN_UNAVAILABLE');
    assert.match(message, says);
  }
  assert.equal(server.requests.length, answers.length, 'nobody followed the redirection');
});
