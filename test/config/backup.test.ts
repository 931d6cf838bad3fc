import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '../../src/config/load.ts';
import { targetIdentity } from '../../src/core/backup-target.ts';
import { createWorkspace, refusal } from './workspace.ts';

/** Variables without their common prefix. */
function configOf(variables: Readonly<Record<string, string>>) {
  const named = Object.entries(variables).map(([name, text]) => [`LOG_CONSUMER_BACKUP_${name}`, text]);
  return loadConfig({ env: Object.fromEntries(named) as Record<string, string> });
}

test('without a bucket there is no backup', () => {
  assert.equal(configOf({}).backup, null);
});

test('what the section gives', () => {
  assert.deepEqual(configOf({ BUCKET: 'logs' }).backup, {
    bucket: 'logs',
    prefix: '',
    endpoint: null,
    region: 'us-east-1',
    pathStyle: false,
    credentials: null,
    encryption: null,
    storageClass: null,
    partBytes: 16 * 1024 * 1024,
    concurrency: 2,
    requestTimeoutMs: 60_000,
  });
  const full = {
    BUCKET: 'logs',
    PREFIX: 'a/b',
    ENDPOINT: 'http://127.0.0.1:9000/',
    REGION: 'eu-north-1',
    ACCESS_KEY_ID: 'key',
    SECRET_ACCESS_KEY: 'secret',
    SESSION_TOKEN: 'token',
    ENCRYPTION: 'aws:kms',
    KMS_KEY_ID: 'alias/logs',
    STORAGE_CLASS: 'STANDARD_IA',
    PART_SIZE: '8MiB',
    CONCURRENCY: '3',
    REQUEST_TIMEOUT: '5s',
  };
  assert.deepEqual(configOf(full).backup, {
    bucket: 'logs',
    prefix: 'a/b',
    endpoint: 'http://127.0.0.1:9000',
    region: 'eu-north-1',
    pathStyle: true,
    credentials: { accessKeyId: 'key', secretAccessKey: 'secret', sessionToken: 'token' },
    encryption: { algorithm: 'aws:kms', keyId: 'alias/logs' },
    storageClass: 'STANDARD_IA',
    partBytes: 8 * 1024 * 1024,
    concurrency: 3,
    requestTimeoutMs: 5000,
  });
  assert.equal(configOf({ ...full, ADDRESSING: 'host' }).backup?.pathStyle, false);
  assert.equal(configOf({ BUCKET: 'logs', ADDRESSING: 'path' }).backup?.pathStyle, true);
});

test('a place is named by endpoint, bucket and prefix', () => {
  const of = (changes: Record<string, string>) => {
    const { backup } = configOf({ BUCKET: 'logs', ...changes });
    return backup === null ? '' : targetIdentity(backup);
  };
  const places = [{}, { BUCKET: 'logs2' }, { PREFIX: 'a' }, { ENDPOINT: 'https://s3.example.com' }].map(of);
  assert.equal(new Set(places).size, 4);
  assert.equal(of({ REGION: 'eu-north-1', CONCURRENCY: '4' }), places[0]);
});

const REFUSED: readonly (readonly [string, RegExp])[] = [
  ['prefix: a', /line 2: backup\.prefix is set but backup\.bucket is not/],
  ['kms_key_id: a', /backup\.kms_key_id is set but backup\.bucket is not/],
  ['bucket: logs\n  kms_key_id: a', /backup\.kms_key_id is set but has no effect with the encryption none/],
  ['bucket: no', /backup\.bucket is "no"; expected a bucket name/],
  ['bucket: logs\n  prefix: /a', /backup\.prefix is "\/a"; expected a path without \//],
  [
    'bucket: logs\n  endpoint: s3.example.com',
    /backup\.endpoint is "s3\.example\.com"; expected an http or https URL/,
  ],
  ['bucket: logs\n  part_size: 1MiB', /backup\.part_size is "1MiB"; expected a size/],
  ['bucket: logs\n  secret_access_key: abc', /backup\.secret_access_key holds the secret itself/],
];

for (const [yaml, message] of REFUSED) {
  test(`${JSON.stringify(yaml)} is refused`, (context) => {
    assert.match(refusal(createWorkspace(context), `backup:\n  ${yaml}\n`), message);
  });
}

test('half of a login is refused', (context) => {
  const workspace = createWorkspace(context);
  const yaml = 'backup:\n  bucket: logs\n';
  const prefix = 'LOG_CONSUMER_BACKUP_';
  assert.match(
    refusal(workspace, yaml, { [`${prefix}ACCESS_KEY_ID`]: 'a' }),
    /backup\.secret_access_key is missing; backup\.access_key_id is of no use without it/,
  );
  assert.match(
    refusal(workspace, yaml, { [`${prefix}SECRET_ACCESS_KEY`]: 's', [`${prefix}SESSION_TOKEN`]: 't' }),
    /backup\.secret_access_key is set but backup\.access_key_id is not\n.*backup\.session_token is set but/s,
  );
});

test('what travels in the clear is told, and verification of certificates is never off', (context) => {
  const open = configOf({ BUCKET: 'logs', ENDPOINT: 'http://store.example.com:9000' });
  assert.deepEqual(open.warnings, ['backup.endpoint is http: the logs travel in the clear.']);
  assert.deepEqual(configOf({ BUCKET: 'logs', ENDPOINT: 'http://127.0.0.1:9000' }).warnings, []);
  const off = { NODE_TLS_REJECT_UNAUTHORIZED: '0' };
  const workspace = createWorkspace(context);
  assert.match(refusal(workspace, 'backup: {bucket: logs}', off), /NODE_TLS_REJECT_UNAUTHORIZED is 0/);
  assert.equal(refusal(workspace, 'backup: {bucket: logs, endpoint: "http://127.0.0.1:1"}', off), 'accepted');
});

test('the login is not shown', () => {
  const { described } = configOf({ BUCKET: 'logs', ACCESS_KEY_ID: 'my key', SECRET_ACCESS_KEY: 'my secret' });
  assert.ok(!/my key|my secret/.test(JSON.stringify(described)));
});
