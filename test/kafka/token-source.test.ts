import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { AccessToken } from '../../src/kafka/access-token.ts';
import { TokenSource } from '../../src/kafka/token-source.ts';

/** A source of tokens t1, t2, … that are good for `lifetimeMs`, with a clock that the test moves. */
function createSource(context: TestContext, lifetimeMs: number) {
  context.mock.timers.enable({ apis: ['Date'] });
  const state = { asked: 0, isAway: false, problems: [] as string[] };
  const source = new TokenSource(async (): Promise<AccessToken> => {
    state.asked += 1;
    if (state.isAway) throw new Error('away');
    return { value: `t${state.asked}`, expiresAt: Date.now() + lifetimeMs };
  });
  const token = (): Promise<string> => source.token((problem) => state.problems.push(problem));
  const pass = (ms: number): void => context.mock.timers.tick(ms);
  return { state, source, token, pass };
}

test('all who ask at the same time get the token of one request', async (context) => {
  const { token, state } = createSource(context, 600_000);
  assert.deepEqual(await Promise.all([token(), token(), token()]), ['t1', 't1', 't1']);
  assert.equal(state.asked, 1);
});

test('a token is renewed when a fifth of its life is left', async (context) => {
  const { token, pass } = createSource(context, 600_000);
  assert.equal(await token(), 't1');
  pass(479_000);
  assert.equal(await token(), 't1');
  pass(2000);
  assert.equal(await token(), 't2');
});

test('a token that is still good is used while the provider is away, and asked for ever more rarely', async (context) => {
  const { token, pass, state } = createSource(context, 100_000);
  await token();
  state.isAway = true;
  for (let second = 0; second < 95; second += 1) {
    pass(1000);
    if (second < 94) assert.equal(await token(), 't1', `after ${second + 1} s`);
  }
  assert.ok(state.asked > 3 && state.asked < 8, `${state.asked} requests`);
  assert.match(state.problems[0] ?? '', /away The access token before is used/);
  await assert.rejects(token(), /away/);
  state.isAway = false;
  assert.match(await token(), /^t\d$/);
});

test('a token that was refused is not used again', async (context) => {
  const { token, source } = createSource(context, 600_000);
  await token();
  source.forget();
  assert.equal(await token(), 't2');
});
