import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Config } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import { SETTINGS } from '../../src/config/settings.ts';
import { createWorkspace, refusal } from './workspace.ts';

const FIXED: readonly (readonly [
  name: string,
  text: string,
  read: (config: Config) => unknown,
  expected: unknown,
])[] = [
  ['KAFKA_BROKERS', 'a:1, b:2', ({ kafka }) => kafka.brokers, ['a:1', 'b:2']],
  ['LOG_TOPIC', '123', ({ kafka }) => kafka.topic, '123'],
  ['LOG_GROUP_ID', 'g', ({ kafka }) => kafka.groupId, 'g'],
  ['LOG_OUTPUT_DIR', '/app/logs', ({ output }) => output.directory, '/app/logs'],
  ['INSTANCE_ID', '7', ({ output }) => output.instanceId, '7'],
  ['LOG_LEVEL', 'debug', ({ output }) => output.minLevel, 'DEBUG'],
  ['LOG_LEVEL', 'WARNING', ({ output }) => output.minLevel, 'WARN'],
  ['MAX_LOG_FILE_SIZE_MB', '0.5', ({ output }) => output.maxFileBytes, 524_288],
  ['BUFFER_SIZE', '500', ({ output }) => output.bufferRecords, 500],
  ['FLUSH_INTERVAL_SEC', '0.25', ({ output }) => output.flushIntervalMs, 250],
  ['OPS_PORT', '0', ({ ops }) => ops.port, 0],
];

const BY_RULE: typeof FIXED = [
  ['LOG_CONSUMER_KAFKA_SESSION_TIMEOUT', '10s', ({ kafka }) => kafka.sessionTimeoutMs, 10_000],
  ['LOG_CONSUMER_KAFKA_ON_POSITION_CONFLICT', 'group', ({ kafka }) => kafka.onPositionConflict, 'group'],
  ['LOG_CONSUMER_TRANSFORM_WORKERS', '3', ({ transform }) => transform.workers, 3],
  ['LOG_CONSUMER_TRANSFORM_TASK_BYTES', '4096', ({ transform }) => transform.taskBytes, 4096],
  ['LOG_CONSUMER_OUTPUT_CHECKPOINT_INTERVAL', '100ms', ({ output }) => output.checkpointIntervalMs, 100],
  ['LOG_CONSUMER_OPS_HOST', '0.0.0.0', ({ ops }) => ops.host, '0.0.0.0'],
  ['LOG_CONSUMER_TELEMETRY_LOG_LEVEL', 'debug', ({ telemetry }) => telemetry.logLevel, 'debug'],
  ['LOG_CONSUMER_CATEGORIES_ERROR_LOGS_MIN_LEVEL', 'none', (c) => c.categories.error_logs.minLevel, null],
  ['LOG_CONSUMER_CATEGORIES_ERROR_LOGS_EXCEPTION', 'false', (c) => c.categories.error_logs.exception, false],
  ['LOG_CONSUMER_CATEGORIES_AUDIT_LOGS_FIELDS', 'a,b', (c) => c.categories.audit_logs.fields, ['a', 'b']],
  [
    'LOG_CONSUMER_CATEGORIES_AUDIT_LOGS_VALUES',
    '{"kind":["login"]}',
    (c) => c.categories.audit_logs.values,
    { kind: ['login'] },
  ],
];

test('every variable sets its setting', () => {
  for (const [name, text, read, expected] of [...FIXED, ...BY_RULE]) {
    assert.deepEqual(read(loadConfig({ env: { [name]: text } })), expected, `${name}=${text}`);
  }
});

test('no two settings share a variable', () => {
  const names = SETTINGS.map(({ variable }) => variable.name);
  assert.equal(new Set(names).size, names.length);
});

test('environment beats file beats default; an empty variable is none', (context) => {
  const file = createWorkspace(context).write(
    'config.yaml',
    'kafka:\n  topic: from-file\n  group_id: from-file\n',
  );
  const { kafka } = loadConfig({ file, env: { LOG_TOPIC: 'from-environment', LOG_GROUP_ID: '' } });
  assert.deepEqual(
    [kafka.topic, kafka.groupId, kafka.clientId],
    ['from-environment', 'from-file', 'log-consumer'],
  );
});

test('CONFIG_FILE names the file, and a file named by the caller beats it', (context) => {
  const workspace = createWorkspace(context);
  const first = workspace.write('first.yaml', 'kafka: {topic: first}');
  const second = workspace.write('second.yaml', 'kafka: {topic: second}');
  assert.equal(loadConfig({ env: { CONFIG_FILE: first } }).kafka.topic, 'first');
  const config = loadConfig({ file: second, env: { CONFIG_FILE: first } });
  assert.deepEqual([config.kafka.topic, config.file], ['second', second]);
});

test('a file that was named has to exist', (context) => {
  const { directory } = createWorkspace(context);
  const missing = `${directory}/nothing.yaml`;
  assert.throws(() => loadConfig({ env: { CONFIG_FILE: missing } }), {
    code: 'CONFIG_INVALID',
    message: `The configuration is not valid: ${missing} does not exist.`,
  });
  assert.throws(() => loadConfig({ env: { CONFIG_FILE: directory } }), {
    message: `The configuration is not valid: ${directory} is a directory.`,
  });
});

test('variables that are wrong', (context) => {
  const workspace = createWorkspace(context);
  const table: [name: string, text: string, message: string][] = [
    [
      'BUFFER_SIZE',
      'abc',
      'environment variable BUFFER_SIZE: output.buffer_size is "abc"; expected a whole number from 1 to 1000000.',
    ],
    [
      'MAX_LOG_FILE_SIZE_MB',
      '100MB',
      'environment variable MAX_LOG_FILE_SIZE_MB: output.max_file_size is "100MB"; expected a plain number of MiB, because the unit is in the name.',
    ],
    [
      'FLUSH_INTERVAL_SEC',
      '5s',
      'environment variable FLUSH_INTERVAL_SEC: output.flush_interval is "5s"; expected a plain number of seconds, because the unit is in the name.',
    ],
    [
      'LOG_CONSUMER_KAFKA_SESION_TIMEOUT',
      '10s',
      'environment variable LOG_CONSUMER_KAFKA_SESION_TIMEOUT is unknown; the nearest valid one is LOG_CONSUMER_KAFKA_SESSION_TIMEOUT.',
    ],
    [
      'LOG_CONSUMER_KAFKA_TOPIC',
      't',
      'environment variable LOG_CONSUMER_KAFKA_TOPIC is unknown; kafka.topic is set by LOG_TOPIC.',
    ],
    [
      'LOG_CONSUMER_CATEGORIES_AUDIT_LOGS_VALUES',
      '{"kind":',
      'environment variable LOG_CONSUMER_CATEGORIES_AUDIT_LOGS_VALUES: categories.audit_logs.values is "{\\"kind\\":"; expected a mapping of field names to non-empty lists of text, such as {type: [audit]}.',
    ],
  ];
  for (const [name, text, message] of table)
    assert.equal(refusal(workspace, '', { [name]: text }), message, name);
});

test('the variables that Kubernetes adds for Services are ignored', () => {
  const env = {
    LOG_CONSUMER_SERVICE_HOST: '10.0.0.1',
    LOG_CONSUMER_SERVICE_PORT: '9464',
    LOG_CONSUMER_SERVICE_PORT_METRICS: '9464',
    LOG_CONSUMER_PORT: 'tcp://10.0.0.1:9464',
    LOG_CONSUMER_PORT_9464_TCP: 'tcp://10.0.0.1:9464',
    LOG_CONSUMER_PORT_9464_TCP_ADDR: '10.0.0.1',
    OPS_PORT: 'tcp://10.0.0.2:80',
  };
  assert.equal(loadConfig({ env }).ops.port, 9464);
});

test('variables of later parts of the product have no effect, and that is said', () => {
  assert.deepEqual(loadConfig({ env: { API_PORT: '8080' } }).warnings, [
    'The environment variable API_PORT is set but has no effect in this version.',
  ]);
});

test('LOG_RETENTION_DAYS is the age of all files, but for those that have their own', () => {
  const env = { LOG_RETENTION_DAYS: '30', LOG_CONSUMER_RETENTION_AUDIT_LOGS: '365d' };
  const { maxAgeMs } = loadConfig({ env }).retention;
  assert.equal(maxAgeMs.service_logs, 30 * 86_400_000);
  assert.equal(maxAgeMs.audit_logs, 365 * 86_400_000);
  assert.equal(loadConfig({ env: {} }).retention.maxAgeMs.service_logs, null);
});
