// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references in this form are what is tested
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Config } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import { createWorkspace, refusal } from './workspace.ts';

const PREFIX = 'LOG_CONSUMER_KAFKA_';

/** The configuration that variables give, written without their common prefix. */
function configOf(variables: Readonly<Record<string, string>>, brokers = 'localhost:9092'): Config {
  const named = Object.entries(variables).map(([name, text]) => [`${PREFIX}${name}`, text]);
  return loadConfig({ env: { ...Object.fromEntries(named), KAFKA_BROKERS: brokers } });
}

test('connections are neither encrypted nor authenticated unless configured', () => {
  const { kafka, warnings } = configOf({});
  assert.deepEqual([kafka.tls, kafka.sasl, warnings], [null, null, []]);
});

test('what the sections give', () => {
  const { tls, sasl } = configOf({
    TLS_ENABLED: 'true',
    TLS_CA_FILE: 'ca.pem',
    TLS_CERTIFICATE_FILE: 'client.pem',
    TLS_KEY_FILE: 'client.key',
    TLS_KEY_PASSPHRASE: 'opens the key',
    TLS_SERVER_NAME: 'kafka.example.com',
    SASL_MECHANISM: 'SCRAM-SHA-512',
    SASL_USERNAME: 'reader',
    SASL_PASSWORD: 'p',
  }).kafka;
  const client = { certificateFile: 'client.pem', keyFile: 'client.key', passphrase: 'opens the key' };
  assert.deepEqual(tls, { caFile: 'ca.pem', client, serverName: 'kafka.example.com' });
  assert.deepEqual(sasl, { mechanism: 'SCRAM-SHA-512', username: 'reader', password: 'p' });
});

test('where a token comes from', () => {
  const command = configOf({ SASL_MECHANISM: 'OAUTHBEARER', SASL_TOKEN_COMMAND: '["get", "--raw"]' });
  assert.deepEqual(command.kafka.sasl, {
    mechanism: 'OAUTHBEARER',
    token: { kind: 'command', command: ['get', '--raw'] },
  });
  const url = configOf({
    SASL_MECHANISM: 'OAUTHBEARER',
    SASL_TOKEN_URL: 'https://id.example.com/token',
    SASL_CLIENT_ID: 'c',
    SASL_CLIENT_SECRET: 's',
  });
  assert.deepEqual(url.kafka.sasl, {
    mechanism: 'OAUTHBEARER',
    token: {
      kind: 'url',
      url: 'https://id.example.com/token',
      clientId: 'c',
      clientSecret: 's',
      scope: null,
    },
  });
});

test('a secret in its variable is taken character by character', () => {
  const secret = 'a${b}c ${env:HOME}';
  const { sasl } = configOf({
    SASL_MECHANISM: 'PLAIN',
    SASL_USERNAME: 'u',
    SASL_PASSWORD: secret,
  }).kafka;
  assert.deepEqual(sasl, { mechanism: 'PLAIN', username: 'u', password: secret });
});

test('a secret of the file is a reference and nothing else', (context) => {
  const workspace = createWorkspace(context);
  workspace.write('password', 'from file\n');
  const yaml = (password: string): string =>
    `kafka:\n  sasl:\n    mechanism: PLAIN\n    username: u\n    password: ${password}`;
  const file = workspace.write('config.yaml', yaml('"${file:password}"'));
  assert.deepEqual(loadConfig({ file, env: {} }).kafka.sasl, {
    mechanism: 'PLAIN',
    username: 'u',
    password: 'from file',
  });
  const expected =
    'expected ${env:NAME} or ${file:PATH} for one line of text, or "" for none, or set LOG_CONSUMER_KAFKA_SASL_PASSWORD.';
  for (const written of ['hunter2', '"hunter2${env:X}"', '"${hunter2}"']) {
    assert.equal(
      refusal(workspace, yaml(written), { X: 'x' }),
      `config.yaml line 5: kafka.sasl.password holds the secret itself; ${expected}`,
    );
  }
});

test('a value that no secret can have is not shown', (context) => {
  const workspace = createWorkspace(context);
  const yaml = 'kafka:\n  sasl:\n    mechanism: PLAIN\n    username: u\n    password: 271828';
  assert.doesNotMatch(refusal(workspace, yaml), /271828/);
  const login = { LOG_CONSUMER_KAFKA_SASL_MECHANISM: 'PLAIN', LOG_CONSUMER_KAFKA_SASL_USERNAME: 'u' };
  const message = refusal(workspace, '', { ...login, LOG_CONSUMER_KAFKA_SASL_PASSWORD: 'hunter2\nx' });
  assert.match(message, /LOG_CONSUMER_KAFKA_SASL_PASSWORD: kafka\.sasl\.password is not accepted/);
  assert.doesNotMatch(message, /hunter2/);
});

test('secrets and the arguments of a command are not described', () => {
  const { described } = configOf({
    SASL_MECHANISM: 'OAUTHBEARER',
    SASL_TOKEN_COMMAND: '["get-token", "--secret", "hunter2"]',
    TLS_ENABLED: 'true',
    TLS_CERTIFICATE_FILE: 'c',
    TLS_KEY_FILE: 'k',
    TLS_KEY_PASSPHRASE: 'hunter2',
  });
  assert.doesNotMatch(JSON.stringify(described), /hunter2/);
  assert.match(JSON.stringify(described), /get-token/);
});

const REFUSED: readonly (readonly [yaml: string, message: string])[] = [
  ['tls: {ca_file: a}', 'kafka.tls.ca_file is set but kafka.tls.enabled is false.'],
  [
    'tls: {enabled: true, certificate_file: a}',
    'kafka.tls.key_file is missing; kafka.tls.certificate_file is of no use without its key.',
  ],
  ['tls: {enabled: true, key_file: a}', 'kafka.tls.key_file is set but kafka.tls.certificate_file is not.'],
  ['sasl: {username: a}', 'kafka.sasl.username is set but kafka.sasl.mechanism is none.'],
  ['sasl: {password: "${env:P}"}', 'kafka.sasl.password is set but kafka.sasl.mechanism is none.'],
  ['sasl: {mechanism: PLAIN, password: "${env:P}"}', 'kafka.sasl.username is missing; PLAIN needs it.'],
  ['sasl: {mechanism: PLAIN, username: u}', 'kafka.sasl.password is missing; PLAIN needs it.'],
  [
    'sasl: {mechanism: PLAIN, username: u, password: "${env:NOBODY}"}',
    'kafka.sasl.password needs the environment variable NOBODY, which is not set (${env:NOBODY}).',
  ],
  [
    'sasl: {mechanism: SCRAM-SHA-256, username: u, password: "${env:P}", token_command: [a]}',
    'kafka.sasl.token_command is set but has no effect with the mechanism SCRAM-SHA-256.',
  ],
  [
    'sasl: {mechanism: OAUTHBEARER}',
    'kafka.sasl.token_command is missing; OAUTHBEARER needs it or kafka.sasl.token_url.',
  ],
  [
    'sasl: {mechanism: OAUTHBEARER, token_command: [a], token_url: "https://id/t"}',
    'kafka.sasl.token_url is set but the token comes from kafka.sasl.token_command.',
  ],
  [
    'sasl: {mechanism: OAUTHBEARER, token_url: "https://id/t", client_id: c}',
    'kafka.sasl.client_secret is missing; kafka.sasl.token_url needs it.',
  ],
  [
    'sasl: {mechanism: OAUTHBEARER, token_url: "https://u:p@id/t"}',
    'kafka.sasl.token_url holds a user or a password; use client_id and client_secret instead.',
  ],
  [
    'sasl: {mechanism: plain}',
    'kafka.sasl.mechanism is "plain"; expected one of none, PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER; the nearest is PLAIN.',
  ],
];

test('settings that contradict each other', (context) => {
  const workspace = createWorkspace(context);
  for (const [yaml, message] of REFUSED) {
    const refused = refusal(workspace, `kafka:\n  ${yaml}`, { P: 'p' }).replaceAll(
      'config.yaml line 2: ',
      '',
    );
    assert.equal(refused, message, yaml);
  }
});

test('verification cannot be switched off by a variable of Node', () => {
  const env = { NODE_TLS_REJECT_UNAUTHORIZED: '0', LOG_CONSUMER_KAFKA_TLS_ENABLED: 'true' };
  assert.throws(() => loadConfig({ env }), /NODE_TLS_REJECT_UNAUTHORIZED is 0, which turns the verification/);
  assert.equal(loadConfig({ env: { NODE_TLS_REJECT_UNAUTHORIZED: '0' } }).kafka.tls, null);
});

test('warnings where secrets can be read on the way', () => {
  const login = { SASL_USERNAME: 'u', SASL_PASSWORD: 'p' };
  const warnings = (brokers: string, variables: Readonly<Record<string, string>>): readonly string[] =>
    configOf(variables, brokers).warnings;
  assert.match(
    warnings('kafka:9092', { SASL_MECHANISM: 'PLAIN', ...login })[0] ?? '',
    /PLAIN without kafka\.tls\.enabled: the password travels in the clear/,
  );
  assert.equal(warnings('kafka:9092', { SASL_MECHANISM: 'SCRAM-SHA-256', ...login }).length, 1);
  assert.deepEqual(warnings('127.0.0.1:9092,[::1]:1,localhost:2', { SASL_MECHANISM: 'PLAIN', ...login }), []);
  assert.deepEqual(warnings('kafka:9092', { TLS_ENABLED: 'true', SASL_MECHANISM: 'PLAIN', ...login }), []);
  const token = { SASL_MECHANISM: 'OAUTHBEARER', SASL_CLIENT_ID: 'c', SASL_CLIENT_SECRET: 's' };
  assert.match(
    warnings('localhost:1', { ...token, SASL_TOKEN_URL: 'http://id.example.com/t' })[0] ?? '',
    /token_url is http/,
  );
});
