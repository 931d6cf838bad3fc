/** TLS and every SASL mechanism against a real broker, and what is said when they fail. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasOpenssl } from '../helpers/certificates.ts';
import { runCommandLine } from '../helpers/command-line.ts';
import { inTurns } from '../helpers/in-turns.ts';
import { createTopic, endOffsets, produce } from '../helpers/kafka.ts';
import { leakedSecrets } from '../helpers/secrets.ts';
import {
  type Listener,
  PASSPHRASE,
  PASSWORD,
  SESSION_MS,
  type SecureBroker,
  startSecureBroker,
  USER,
} from '../helpers/secure-broker.ts';
import { type Exit, ServiceProcess, waitFor } from '../helpers/service.ts';
import { startTokenServer, type TokenServer, unsignedToken } from '../helpers/token-server.ts';

const RECORDS = 300;
/** Sessions that the test outlasts. */
const SESSIONS = 3;
const TOKEN_LIFETIME_SECONDS = 8;
const AT_THE_SAME_TIME = 3;
const WRONG_PASSWORD = 'not-the-Passw0rd#5';
const CLIENT_SECRET = 'client-Secr3t#93';
const GOOD_TOKEN = unsignedToken(USER, 3600);
const EXPIRED_TOKEN = unsignedToken(USER, -600);
const SECRETS = [PASSWORD, WRONG_PASSWORD, PASSPHRASE, CLIENT_SECRET, GOOD_TOKEN, EXPIRED_TOKEN];

/** Variables without their common prefix. */
type Variables = Readonly<Record<string, string>>;

/** One way to configure a connection. */
interface Way {
  readonly name: string;
  readonly listener: Listener | 'PLAINTEXT';
  readonly variables: Variables;
}

/** How the log of a service ends that failed. */
interface LastLine {
  readonly error: { readonly code: string; readonly message: string };
}

interface Failure extends Way {
  readonly says: RegExp;
}

const skip = hasOpenssl() ? false : 'the openssl command is not installed';
const directory = mkdtempSync(join(tmpdir(), 'secure-kafka-'));
let broker: SecureBroker;
let tokens: TokenServer;
let topic: string;

before(async () => {
  if (skip !== false) return;
  broker = await startSecureBroker(directory);
  tokens = await startTokenServer({
    clientId: 'log reader',
    clientSecret: CLIENT_SECRET,
    lifetimeSeconds: 8,
  });
  topic = await createTopic(broker.kafka.bootstrap, 'secure');
  await produce(broker.kafka.bootstrap, topic, records(RECORDS));
});

after(async () => {
  await tokens?.close();
  await broker?.kafka.stop();
  rmSync(directory, { recursive: true, force: true });
});

function records(count: number): { value: string }[] {
  return Array.from({ length: count }, (_, index) => ({ value: `{"message":"record ${index}"}` }));
}

const tls = (variables: Variables = {}): Variables => ({
  TLS_ENABLED: 'true',
  TLS_CA_FILE: broker.authority.certificate,
  ...variables,
});

const login = (mechanism: string, password = PASSWORD): Variables => ({
  SASL_MECHANISM: mechanism,
  SASL_USERNAME: USER,
  SASL_PASSWORD: password,
});

/** A program that prints a token. */
function tokenCommand(token: string): Variables {
  const file = join(mkdtempSync(join(directory, 'token-')), 'token');
  writeFileSync(file, `${token}\n`);
  return { SASL_MECHANISM: 'OAUTHBEARER', SASL_TOKEN_COMMAND: JSON.stringify(['cat', file]) };
}

const tokenUrl = (url: string, secret = CLIENT_SECRET): Variables => ({
  SASL_MECHANISM: 'OAUTHBEARER',
  SASL_TOKEN_URL: url,
  SASL_CLIENT_ID: 'log reader',
  SASL_CLIENT_SECRET: secret,
  SASL_SCOPE: 'kafka.read kafka.groups',
});

function goodWays(): Way[] {
  const clientCertificate = {
    TLS_CERTIFICATE_FILE: broker.client.certificate,
    TLS_KEY_FILE: broker.encryptedKey,
    TLS_KEY_PASSPHRASE: PASSPHRASE,
  };
  return [
    { name: 'own authority', listener: 'TLS', variables: tls() },
    { name: 'client certificate', listener: 'MUTUAL', variables: tls(clientCertificate) },
    { name: 'server name', listener: 'NAMED', variables: tls({ TLS_SERVER_NAME: 'kafka.example.com' }) },
    { name: 'PLAIN', listener: 'SECURE', variables: tls(login('PLAIN')) },
    { name: 'SCRAM-SHA-256', listener: 'SECURE', variables: tls(login('SCRAM-SHA-256')) },
    { name: 'SCRAM-SHA-512', listener: 'SECURE', variables: tls(login('SCRAM-SHA-512')) },
    { name: 'token by command', listener: 'SECURE', variables: tls(tokenCommand(GOOD_TOKEN)) },
    { name: 'token by URL', listener: 'SECURE', variables: tls(tokenUrl(tokens.url)) },
  ];
}

function environmentOf({ name, listener, variables }: Way): Record<string, string> {
  const { bootstrap, extraBootstraps } = broker.kafka;
  const named = Object.entries(variables).map(([key, text]) => [`LOG_CONSUMER_KAFKA_${key}`, text]);
  return {
    KAFKA_BROKERS: listener === 'PLAINTEXT' ? bootstrap : (extraBootstraps[listener] ?? ''),
    LOG_TOPIC: topic,
    LOG_GROUP_ID: `group of ${name}`,
    LOG_OUTPUT_DIR: join(directory, `logs-${name}`),
    // Whatever can be printed is printed, so that a secret in it would be found.
    LOG_CONSUMER_TELEMETRY_LOG_LEVEL: 'debug',
    KAFKAJS_LOG_LEVEL: 'DEBUG',
    LOG_CONSUMER_TRANSFORM_WORKERS: '1',
    ...Object.fromEntries(named),
  };
}

function startService(way: Way, build?: string): ServiceProcess {
  const env = environmentOf(way);
  return new ServiceProcess({
    bootstrap: env['KAFKA_BROKERS'] ?? '',
    topic,
    groupId: env['LOG_GROUP_ID'] ?? '',
    directory: env['LOG_OUTPUT_DIR'] ?? '',
    env,
    ...(build === undefined ? {} : { build }),
  });
}

function assertNoSecret(text: string, where: string): void {
  const leaked = leakedSecrets(text, SECRETS);
  assert.deepEqual(leaked, [], `${where} shows a secret`);
}

test('records are consumed over every kind of connection, and no secret is shown', { skip }, async () => {
  await inTurns(goodWays(), AT_THE_SAME_TIME, async (way) => {
    const service = startService(way);
    try {
      const stored = async (): Promise<boolean> => (await service.metric('logs_processed_total')) === RECORDS;
      await waitFor(`all records over ${way.name}`, stored).catch((error: unknown) => {
        throw new Error(`${way.name}: ${error}\n${service.log}`);
      });
      assertNoSecret((await service.get('/metrics')).body, `/metrics with ${way.name}`);
      assertNoSecret((await service.get('/health/ready')).body, `/health/ready with ${way.name}`);
      assert.deepEqual(await service.stop(), { code: 0, signal: null } satisfies Exit, service.log);
      assertNoSecret(service.log, `the log with ${way.name}`);
    } finally {
      await service.stop();
    }
  });
  assert.equal(tokens.requests[0]?.get('grant_type'), 'client_credentials');
  assert.equal(tokens.requests[0]?.get('scope'), 'kafka.read kafka.groups');
});

function tlsFailures(): Failure[] {
  const { stranger } = broker;
  return [
    {
      name: 'no authority',
      listener: 'TLS',
      variables: { TLS_ENABLED: 'true' },
      says: /authority that is not trusted .*name the file with its certificate in kafka\.tls\.ca_file/,
    },
    {
      name: 'another authority',
      listener: 'TLS',
      variables: { TLS_ENABLED: 'true', TLS_CA_FILE: stranger.certificate },
      says: /authority that is not trusted .*kafka\.tls\.ca_file does not hold the one that signed it/,
    },
    { name: 'name', listener: 'NAMED', variables: tls(), says: /for another name .*kafka\.tls\.server_name/ },
    { name: 'expired', listener: 'EXPIRED', variables: tls(), says: /certificate that has expired/ },
    {
      name: 'no certificate',
      listener: 'MUTUAL',
      variables: tls(),
      says: /asks for a certificate of this client .*kafka\.tls\.certificate_file/,
    },
    { name: 'in the clear', listener: 'TLS', variables: {}, says: /expects TLS on this port/ },
    { name: 'TLS', listener: 'PLAINTEXT', variables: tls(), says: /does not speak TLS on this port/ },
  ];
}

function loginFailures(): Failure[] {
  const wrong = (mechanism: string): Failure => ({
    name: mechanism,
    listener: 'SECURE',
    variables: tls(login(mechanism, WRONG_PASSWORD)),
    says: new RegExp(`refused the login of "${USER}" with ${mechanism} .*check kafka\\.sasl\\.username`),
  });
  return [
    ...['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'].map(wrong),
    { name: 'no login', listener: 'SECURE', variables: tls(), says: /expects a login on this port/ },
    { name: 'login', listener: 'TLS', variables: tls(login('PLAIN')), says: /takes no login on this port/ },
    {
      name: 'mechanism',
      listener: 'LOGIN',
      variables: login('SCRAM-SHA-512'),
      says: /does not offer SCRAM-SHA-512 on this port/,
    },
  ];
}

function tokenFailures(): Failure[] {
  const command = (argv: readonly string[]): Variables => ({
    SASL_MECHANISM: 'OAUTHBEARER',
    SASL_TOKEN_COMMAND: JSON.stringify(argv),
  });
  const failure = (name: string, variables: Variables, says: RegExp): Failure => ({
    name,
    listener: 'LOGIN',
    variables,
    says,
  });
  const shell = `echo ${GOOD_TOKEN}; echo ${PASSWORD} >&2; exit 3`;
  return [
    failure('expired token', tokenCommand(EXPIRED_TOKEN), /Kafka refused the access token \(.*invalid_token/),
    failure('failing command', command(['sh', '-c', shell]), /command sh .*failed with exit code 3/),
    failure(
      'missing command',
      command(['/nowhere/get']),
      /command \/nowhere\/get .*cannot be started \(ENOENT\)/,
    ),
    failure(
      'chatty command',
      command(['echo', PASSWORD, 'x']),
      /printed something else than an access token/,
    ),
    failure(
      'unreachable URL',
      tokenUrl('http://127.0.0.1:9/token'),
      /127\.0\.0\.1:9\/token cannot be reached/,
    ),
    failure(
      'refused client',
      tokenUrl(tokens.url, WRONG_PASSWORD),
      /refused client "log reader" \(invalid_client\)/,
    ),
  ];
}

test('check --online says what is wrong, and no secret is shown', { skip }, async () => {
  const failures = [...tlsFailures(), ...loginFailures(), ...tokenFailures()];
  await inTurns(failures, AT_THE_SAME_TIME, async (failure) => {
    const env = environmentOf(failure);
    const { code, output, errors } = await runCommandLine(['check', '--online', '--json'], env);
    assertNoSecret(output + errors, `check with ${failure.name}`);
    const { problems } = JSON.parse(output) as { readonly problems: readonly string[] };
    assert.equal(problems.length, 1, output);
    assert.match(problems[0] ?? '', failure.says, failure.name);
    assert.equal(code, 1, failure.name);
  });
});

test('run ends at once with the same sentence when it is not let in', { skip }, async () => {
  const refused = [tlsFailures()[0], loginFailures()[0], tokenFailures()[0]].filter(
    (way) => way !== undefined,
  );
  await inTurns(refused, AT_THE_SAME_TIME, async (failure) => {
    const service = startService({ ...failure, name: `run ${failure.name}` });
    const giveUp = setTimeout(() => service.kill('SIGKILL'), 20_000);
    assert.deepEqual(await service.exited, { code: 1, signal: null }, service.log);
    clearTimeout(giveUp);
    const last = JSON.parse(service.log.trimEnd().split('\n').at(-1) ?? '') as LastLine;
    assert.match(last.error.message, failure.says);
    assert.match(last.error.code, /^(TLS|AUTHENTICATION)_FAILED$/);
    assertNoSecret(service.log, `the log with ${failure.name}`);
  });
});

test('sessions that the broker ends after seconds do not break ingestion', { skip }, async () => {
  const ways: Way[] = [
    { name: 'short PLAIN', listener: 'SHORT', variables: login('PLAIN') },
    { name: 'short token', listener: 'SHORT', variables: tokenUrl(tokens.url) },
  ];
  const services = ways.map((way) => startService(way));
  try {
    const requestsBefore = tokens.requests.length;
    const total = RECORDS + SESSIONS * RECORDS;
    for (let session = 0; session < SESSIONS; session += 1) {
      await sleep(SESSION_MS);
      await produce(broker.kafka.bootstrap, topic, records(RECORDS));
    }
    for (const service of services) {
      const stored = async (): Promise<boolean> => (await service.metric('logs_processed_total')) === total;
      await waitFor('all records in short sessions', stored);
      assert.equal(await service.metric('log_consumer_rebalances_total'), 0);
      assert.deepEqual(await service.stop(), { code: 0, signal: null }, service.log);
      assert.deepEqual(troublesOf(service.log), []);
      assertNoSecret(service.log, 'the log with short sessions');
    }
    assert.ok(tokens.requests.length > requestsBefore + 1, 'the token was renewed');
  } finally {
    for (const service of services) await service.stop();
  }
});

/** What kafkajs complained about, and connections that the broker ended because nobody logged in again. */
function troublesOf(log: string): string[] {
  const complaint = /^\{"level":"(WARN|ERROR)".*"message":"kafka: |"message":"kafka: Kafka server has closed/;
  return log.split('\n').filter((line) => complaint.test(line));
}

test('an identity provider that is away for a while is waited for', { skip }, async () => {
  const service = startService({ name: 'outage', listener: 'SHORT', variables: tokenUrl(tokens.url) });
  try {
    await waitFor('partitions', async () => (await service.metric('log_consumer_assigned_partitions')) === 1);
    tokens.mode = 'unavailable';
    await waitFor('the outage to be felt', () => service.log.includes('answered with status 503'));
    await sleep(TOKEN_LIFETIME_SECONDS * 1000);
    tokens.mode = 'good';
    await produce(broker.kafka.bootstrap, topic, records(RECORDS));
    const end = (await endOffsets(broker.kafka.bootstrap, topic)).get(0);
    const stored = async (): Promise<boolean> => BigInt(await service.metric('logs_processed_total')) === end;
    await waitFor('the records after the outage', stored);
    assert.deepEqual(await service.stop(), { code: 0, signal: null }, service.log);
    assertNoSecret(service.log, 'the log with an outage');
  } finally {
    tokens.mode = 'good';
    await service.stop();
  }
});

test('generate uses the same settings', { skip }, async () => {
  const produced = await createTopic(broker.kafka.bootstrap, 'generated');
  const args = ['generate', '--topic', produced, '--count', '50', '--rate', 'max'];
  const way = (password: string): Record<string, string> =>
    environmentOf({ name: 'generate', listener: 'SECURE', variables: tls(login('SCRAM-SHA-512', password)) });
  const good = await runCommandLine(args, way(PASSWORD));
  assert.equal(good.code, 0, good.errors);
  assert.equal((await endOffsets(broker.kafka.bootstrap, produced)).get(0), 50n);
  const bad = await runCommandLine(args, way(WRONG_PASSWORD));
  assert.equal(bad.code, 1);
  assert.match(bad.errors, /refused the login of "alice" with SCRAM-SHA-512/);
  assertNoSecret(good.output + good.errors + bad.output + bad.errors, 'generate');
});
