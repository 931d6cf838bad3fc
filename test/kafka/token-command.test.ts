import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServiceError } from '../../src/core/errors.ts';
import { tokenFromCommand } from '../../src/kafka/token-command.ts';

const SECRET = 'hunter2';

/** The failure of a command, in which nothing may stand of what it was given or printed. */
async function failureOf(command: readonly string[]): Promise<ServiceError> {
  const error: unknown = await tokenFromCommand(command).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof ServiceError);
  assert.doesNotMatch(JSON.stringify(error.serialise()) + String(error.cause), new RegExp(SECRET));
  return error;
}

test('the program gets its arguments as they are, without a shell', async () => {
  const token = await tokenFromCommand(['printf', '%s', 'a-b_.c']);
  assert.equal(token.value, 'a-b_.c');
  assert.match((await failureOf(['echo', '$HOME'])).message, /printed something else than an access token/);
});

test('a program that is not there or fails', async () => {
  const missing = await failureOf(['/nowhere/get', SECRET]);
  assert.deepEqual([missing.code, missing.retryable], ['AUTHENTICATION_FAILED', false]);
  const failing = await failureOf(['sh', '-c', `echo ${SECRET}; echo ${SECRET} >&2; exit 3`]);
  assert.deepEqual([failing.code, failing.retryable], ['TOKEN_UNAVAILABLE', true]);
  assert.match(failing.message, /sh of kafka\.sasl\.token_command failed with exit code 3/);
  assert.match((await failureOf(['sh', '-c', 'kill -9 $$'])).message, /was ended by SIGKILL/);
});

test('a program that prints without end is ended', async () => {
  assert.match((await failureOf(['yes', SECRET])).message, /printed too much/);
});

test('a program that does not end is ended, also when a child of it lives on', {
  timeout: 60_000,
}, async () => {
  const startedAt = performance.now();
  assert.match((await failureOf(['sh', '-c', 'sleep 20 & wait'])).message, /did not end within 10 s/);
  assert.ok(performance.now() - startedAt < 18_000);
});
