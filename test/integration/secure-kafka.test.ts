/** TLS and every SASL mechanism against a real broker, and what is said when they fail. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasOpenssl } from '../helpers/certificates.ts';
import { runCommandLine } from '../helpers/command-line.ts';
import { inTurns } from '../helpers/in-turns.ts';
import { createTopic, endOffsets, produce } from '../helpers/kafka.ts';
import { leakedSecrets } from '../helpers/secrets.ts';
import { PASSWORD, SESSION_MS } from '../helpers/secure-broker.ts';
import { SecureScene, TOKEN_LIFETIME_SECONDS, type Way } from '../helpers/secure-scene.ts';
import {
  goodWays,
  loginFailures,
  SECRETS,
  tlsFailures,
  tokenFailures,
  WRONG_PASSWORD,
} from '../helpers/secure-ways.ts';
import { type ServiceProcess, waitFor } from '../helpers/service.ts';

const RECORDS = 300;
/** Sessions that the test outlasts. */
const SESSIONS = 2;
const AT_THE_SAME_TIME = 3;

/** How the log of a service ends that failed. */
interface LastLine {
  readonly error: { readonly code: string; readonly message: string };
}

const skip = hasOpenssl() ? false : 'the openssl command is not installed';
let scene: SecureScene;

before(async () => {
  if (skip !== false) return;
  scene = await SecureScene.set();
  await produce(scene.bootstrap, scene.topic, records(RECORDS));
});

after(() => scene?.clear());

function records(count: number): { value: string }[] {
  return Array.from({ length: count }, (_, index) => ({ value: `{"message":"record ${index}"}` }));
}

function assertNoSecret(text: string, where: string): void {
  const leaked = leakedSecrets(text, SECRETS);
  assert.deepEqual(leaked, [], `${where} shows a secret`);
}

test('records are consumed over every kind of connection, and no secret is shown', { skip }, async () => {
  await inTurns(goodWays(scene), AT_THE_SAME_TIME, async (way) => {
    const service = scene.startService(way);
    try {
      const stored = async (): Promise<boolean> => (await service.metric('logs_processed_total')) === RECORDS;
      await waitFor(`all records over ${way.name}`, stored).catch((error: unknown) => {
        throw new Error(`${way.name}: ${error}\n${service.log}`);
      });
      assertNoSecret((await service.get('/metrics')).body, `/metrics with ${way.name}`);
      assertNoSecret((await service.get('/health/ready')).body, `/health/ready with ${way.name}`);
      assert.deepEqual(await service.stop(), { code: 0, signal: null }, service.log);
      assertNoSecret(service.log, `the log with ${way.name}`);
    } finally {
      await service.stop();
    }
  });
  assert.equal(scene.tokens.requests[0]?.get('grant_type'), 'client_credentials');
  assert.equal(scene.tokens.requests[0]?.get('scope'), 'kafka.read kafka.groups');
});

test('check --online says what is wrong, and no secret is shown', { skip }, async () => {
  const failures = [...tlsFailures(scene), ...loginFailures(scene), ...tokenFailures(scene)];
  await inTurns(failures, AT_THE_SAME_TIME, async (failure) => {
    const env = scene.environmentOf(failure);
    const { code, output, errors } = await runCommandLine(['check', '--online', '--json'], env);
    assertNoSecret(output + errors, `check with ${failure.name}`);
    const { problems } = JSON.parse(output) as { readonly problems: readonly string[] };
    assert.equal(problems.length, 1, output);
    assert.match(problems[0] ?? '', failure.says, failure.name);
    assert.equal(code, 1, failure.name);
  });
});

function lastLineOf(service: ServiceProcess): LastLine {
  return JSON.parse(service.log.trimEnd().split('\n').at(-1) ?? '') as LastLine;
}

test('run ends at once with the same sentence when it is not let in', { skip }, async () => {
  const refused = [tlsFailures(scene)[0], loginFailures(scene)[0], tokenFailures(scene)[0]].filter(
    (way) => way !== undefined,
  );
  await inTurns(refused, AT_THE_SAME_TIME, async (failure) => {
    const service = scene.startService({ ...failure, name: `run ${failure.name}` });
    const giveUp = setTimeout(() => service.kill('SIGKILL'), 20_000);
    assert.deepEqual(await service.exited, { code: 1, signal: null }, service.log);
    clearTimeout(giveUp);
    const { error } = lastLineOf(service);
    assert.match(error.message, failure.says);
    assert.match(error.code, /^(TLS|AUTHENTICATION)_FAILED$/);
    assertNoSecret(service.log, `the log with ${failure.name}`);
  });
});

test('sessions that the broker ends after seconds do not break ingestion', { skip }, async () => {
  const ways: Way[] = [
    { name: 'short PLAIN', listener: 'SHORT', variables: scene.login('PLAIN') },
    { name: 'short token', listener: 'SHORT', variables: scene.tokenUrl() },
  ];
  const services = ways.map((way) => scene.startService(way));
  try {
    const requestsBefore = scene.tokens.requests.length;
    const total = RECORDS + SESSIONS * RECORDS;
    for (let session = 0; session < SESSIONS; session += 1) {
      await sleep(SESSION_MS);
      await produce(scene.bootstrap, scene.topic, records(RECORDS));
    }
    for (const service of services) {
      const stored = async (): Promise<boolean> => (await service.metric('logs_processed_total')) === total;
      await waitFor('all records in short sessions', stored);
      assert.equal(await service.metric('log_consumer_rebalances_total'), 0);
      assert.deepEqual(await service.stop(), { code: 0, signal: null }, service.log);
      assert.deepEqual(troublesOf(service.log), []);
      assertNoSecret(service.log, 'the log with short sessions');
    }
    assert.ok(scene.tokens.requests.length > requestsBefore + 1, 'the token was renewed');
  } finally {
    for (const service of services) await service.stop();
  }
});

/** What kafkajs complained about, and connections that the broker ended because nobody logged in again. */
function troublesOf(log: string): string[] {
  const complaint = /^\{"level":"(WARN|ERROR)".*"message":"kafka: |"message":"kafka: Kafka server has closed/;
  return log.split('\n').filter((line) => complaint.test(line));
}

test('a client that is no longer accepted ends the service with its reason', { skip }, async () => {
  const service = scene.startService({ name: 'revoked', listener: 'SHORT', variables: scene.tokenUrl() });
  try {
    await waitFor('partitions', async () => (await service.metric('log_consumer_assigned_partitions')) === 1);
    scene.tokens.mode = 'refused';
    assert.deepEqual(await service.exited, { code: 1, signal: null }, service.log);
    const { error } = lastLineOf(service);
    assert.equal(error.code, 'AUTHENTICATION_FAILED');
    assert.match(error.message, /refused client "log reader" \(unauthorized_client\)/);
  } finally {
    scene.tokens.mode = 'good';
    await service.stop();
  }
});

test('an identity provider that is away for a while is waited for', { skip }, async () => {
  const service = scene.startService({ name: 'outage', listener: 'SHORT', variables: scene.tokenUrl() });
  try {
    await waitFor('partitions', async () => (await service.metric('log_consumer_assigned_partitions')) === 1);
    scene.tokens.mode = 'unavailable';
    await waitFor('the outage to be felt', () => service.log.includes('answered with status 503'));
    await sleep(TOKEN_LIFETIME_SECONDS * 1000);
    scene.tokens.mode = 'good';
    await produce(scene.bootstrap, scene.topic, records(RECORDS));
    const end = (await endOffsets(scene.bootstrap, scene.topic)).get(0);
    const stored = async (): Promise<boolean> => BigInt(await service.metric('logs_processed_total')) === end;
    await waitFor('the records after the outage', stored);
    assert.deepEqual(await service.stop(), { code: 0, signal: null }, service.log);
    assertNoSecret(service.log, 'the log with an outage');
  } finally {
    scene.tokens.mode = 'good';
    await service.stop();
  }
});

test('generate uses the same settings', { skip }, async () => {
  const produced = await createTopic(scene.bootstrap, 'generated');
  const args = ['generate', '--topic', produced, '--count', '50', '--rate', 'max'];
  const way = (password: string): Record<string, string> =>
    scene.environmentOf({
      name: 'generate',
      listener: 'SECURE',
      variables: scene.tls(scene.login('SCRAM-SHA-512', password)),
    });
  const good = await runCommandLine(args, way(PASSWORD));
  assert.equal(good.code, 0, good.errors);
  assert.equal((await endOffsets(scene.bootstrap, produced)).get(0), 50n);
  const bad = await runCommandLine(args, way(WRONG_PASSWORD));
  assert.equal(bad.code, 1);
  assert.match(bad.errors, /refused the login of "alice" with SCRAM-SHA-512/);
  assertNoSecret(good.output + good.errors + bad.output + bad.errors, 'generate');
});
