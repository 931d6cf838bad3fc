import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWorkspace, refusal } from './workspace.ts';

const KAFKA = 'config.yaml line 2: kafka';

const TABLE: readonly (readonly [yaml: string, message: string])[] = [
  // Unknown keys.
  [
    'kafka:\n  tpoic: x',
    `config.yaml line 2: unknown key kafka.tpoic; the nearest valid key is kafka.topic.`,
  ],
  [
    'output:\n  maxFileSize: 1MiB',
    'config.yaml line 2: unknown key output.maxFileSize; the nearest valid key is output.max_file_size.',
  ],
  ['kafak:\n  topic: x', 'config.yaml line 1: unknown key kafak; the nearest valid key is kafka.'],
  ['workers: 2', 'config.yaml line 1: unknown key workers; the nearest valid key is transform.workers.'],
  [
    'BUFFER_SIZE: 2',
    'config.yaml line 1: unknown key BUFFER_SIZE; the nearest valid key is output.buffer_size.',
  ],
  [
    'seal:\n  banana: 2',
    'config.yaml line 2: unknown key seal.banana; valid here: format, compression_level, concurrency, memory_limit.',
  ],
  [
    'categories:\n  audit_logs:\n    field: [a]',
    'config.yaml line 3: unknown key categories.audit_logs.field; the nearest valid key is categories.audit_logs.fields.',
  ],
  [
    'categories:\n  audit_log: {}',
    'config.yaml line 2: unknown key categories.audit_log; the nearest valid key is categories.audit_logs.',
  ],
  [
    'kafka:\n  __proto__: 1',
    'config.yaml line 2: unknown key kafka.__proto__; valid here: brokers, topic, group_id, client_id, session_timeout, heartbeat_interval, rebalance_timeout, connection_timeout, request_timeout, max_wait_time, max_bytes_per_partition, max_bytes, on_lost_records, on_position_conflict, on_topic_recreated, tls, sasl.',
  ],
  // Values.
  [
    'kafka:\n  session_timeout: 30x',
    `${KAFKA}.session_timeout is "30x"; expected a duration in ms, s, m, h or d from 6s to 30m, such as 30s.`,
  ],
  [
    'kafka:\n  session_timeout: 30',
    `${KAFKA}.session_timeout is 30; expected a duration in ms, s, m, h or d from 6s to 30m, such as 30s; a number needs its unit.`,
  ],
  [
    'kafka:\n  session_timeout: 5s',
    `${KAFKA}.session_timeout is "5s"; expected a duration in ms, s, m, h or d from 6s to 30m, such as 30s.`,
  ],
  [
    'kafka:\n  max_bytes: 16MB',
    `${KAFKA}.max_bytes is "16MB"; expected a size in B, KiB, MiB, GiB or TiB from 16KiB to 1GiB, such as 16MiB.`,
  ],
  [
    'kafka:\n  on_lost_records: earlyest',
    `${KAFKA}.on_lost_records is "earlyest"; expected one of stop, earliest; the nearest is earliest.`,
  ],
  [
    'kafka:\n  topic: 123',
    `${KAFKA}.topic is 123; expected a topic name of 1 to 249 of the characters A-Z a-z 0-9 . _ -, in quotes because it looks like a number.`,
  ],
  [
    'kafka:\n  topic:',
    `${KAFKA}.topic is null; expected a topic name of 1 to 249 of the characters A-Z a-z 0-9 . _ -.`,
  ],
  [
    'kafka:\n  brokers: [a:1, b]',
    `${KAFKA}.brokers[1] is "b"; expected one or more brokers as host:port, in a list or separated by commas.`,
  ],
  [
    'kafka:\n  brokers: a:1,b:65536',
    `${KAFKA}.brokers is "a:1,b:65536"; expected one or more brokers as host:port, in a list or separated by commas.`,
  ],
  [
    'kafka:\n  brokers: []',
    `${KAFKA}.brokers is []; expected one or more brokers as host:port, in a list or separated by commas.`,
  ],
  [
    'output:\n  min_level: WARNIN',
    'config.yaml line 2: output.min_level is "WARNIN"; expected one of TRACE, DEBUG, INFO, WARN, ERROR, FATAL; the nearest is WARN.',
  ],
  [
    'output:\n  instance_id: ..',
    'config.yaml line 2: output.instance_id is ".."; expected up to 64 of the characters A-Z a-z 0-9 . _ -, or "" for none.',
  ],
  [
    'transform:\n  workers: 0',
    'config.yaml line 2: transform.workers is 0; expected auto or a whole number from 1 to 64.',
  ],
  [
    'transform:\n  workers: atuo',
    'config.yaml line 2: transform.workers is "atuo"; expected auto or a whole number from 1 to 64; the nearest is auto.',
  ],
  [
    'seal:\n  compression_level: 2.5',
    'config.yaml line 2: seal.compression_level is 2.5; expected a whole number from 1 to 9.',
  ],
  [
    'categories:\n  error_logs:\n    exception: yes',
    'config.yaml line 3: categories.error_logs.exception is "yes"; expected true or false.',
  ],
  [
    'categories:\n  error_logs:\n    values:\n      type: audit',
    'config.yaml line 3: categories.error_logs.values.type is "audit"; expected a mapping of field names to non-empty lists of text, such as {type: [audit]}.',
  ],
  [
    'seal: 5',
    'config.yaml line 1: seal is 5; expected a section with the keys format, compression_level, concurrency, memory_limit.',
  ],
  [
    'seal: [1]',
    'config.yaml line 1: seal is [1]; expected a section with the keys format, compression_level, concurrency, memory_limit.',
  ],
  // Relations.
  [
    'kafka:\n  heartbeat_interval: 12s',
    `${KAFKA}.heartbeat_interval is 12s; expected at most a third of kafka.session_timeout (30s), because two lost heartbeats in a row must not end the membership.`,
  ],
  [
    'transform:\n  queue_bytes: 512KiB',
    'config.yaml line 2: kafka.max_bytes_per_partition is 1MiB; expected at most transform.queue_bytes (512KiB), because what was fetched of a partition must fit into the queue.',
  ],
  [
    'transform:\n  max_record_bytes: 128MiB',
    'config.yaml line 2: transform.max_record_bytes is 128MiB; expected at most transform.max_decompressed_bytes (64MiB), because a record comes out of a decompressed batch.',
  ],
  [
    'kafka:\n  topic: orders\nquarantine:\n  dead_letter_topic: orders',
    'config.yaml line 4: quarantine.dead_letter_topic is "orders"; expected another topic than kafka.topic, because what is sent there would come back for ever.',
  ],
  // YAML.
  ['kafka:\n  topic: a\n  topic: b', 'config.yaml line 3: the key "topic" stands twice in the same section.'],
  ['kafka:\n\ttopic: a', 'config.yaml line 2: indented with a tab; YAML accepts only spaces.'],
  [
    'kafka: {}\n---\nseal: {}',
    'config.yaml line 2: a second document starts here; the file may hold only one.',
  ],
  ['kafka:\n  topic: "a', 'config.yaml line 2: not valid YAML: missing closing "quote.'],
  [
    'kafka:\n  topic: *nobody',
    'config.yaml: unresolved alias (the anchor must be set before the alias): nobody.',
  ],
  ['kafka:\n  topic: !secret a', 'config.yaml line 2: not valid YAML: unresolved tag: !secret.'],
  ['- kafka', 'config.yaml line 1: expected sections such as "kafka:", not a single value.'],
  ['kafka', 'config.yaml line 1: expected sections such as "kafka:", not a single value.'],
];

test('every problem names the key, the value and what is accepted', (context) => {
  const workspace = createWorkspace(context);
  for (const [yaml, message] of TABLE) assert.equal(refusal(workspace, yaml), message, yaml);
});

test('what is fine is accepted', (context) => {
  const workspace = createWorkspace(context);
  const accepted = [
    '',
    '# nothing',
    'kafka:',
    'categories:\n  error_logs:',
    'kafka:\n  brokers: "[::1]:9092, kafka-1.example.com:65535,"',
    'output:\n  min_level: warning',
    'output:\n  max_file_size: 1048576',
  ];
  for (const yaml of accepted) assert.equal(refusal(workspace, yaml), 'accepted', yaml);
});

test('all problems are reported at once, from the file, the environment and between values', (context) => {
  const yaml = [
    'kafka:',
    '  tpoic: x',
    '  heartbeat_interval: 20s',
    '  topic: "a b"',
    'seal:',
    '  concurrency: 99',
  ].join('\n');
  assert.equal(
    refusal(createWorkspace(context), yaml, { OPS_PORT: 'http', LOG_CONSUMER_SEAL_LEVEL: '1' }),
    [
      'The configuration has 6 problems:',
      'environment variable LOG_CONSUMER_SEAL_LEVEL is unknown; the nearest valid one is LOG_CONSUMER_SEAL_FORMAT',
      'config.yaml line 4: kafka.topic is "a b"; expected a topic name of 1 to 249 of the characters A-Z a-z 0-9 . _ -',
      'config.yaml line 2: unknown key kafka.tpoic; the nearest valid key is kafka.topic',
      'config.yaml line 6: seal.concurrency is 99; expected a whole number from 1 to 4',
      'environment variable OPS_PORT: ops.port is "http"; expected a whole number from 0 to 65535',
      'config.yaml line 3: kafka.heartbeat_interval is 20s; expected at most a third of kafka.session_timeout (30s), because two lost heartbeats in a row must not end the membership',
    ].join('\n  - '),
  );
});

test('a relation to a value that is wrong by itself is not reported, since nobody wrote the default', (context) => {
  const yaml = 'kafka:\n  heartbeat_interval: 12s\n  session_timeout: 60\n';
  assert.match(
    refusal(createWorkspace(context), yaml),
    /^config\.yaml line 3: kafka\.session_timeout is 60; [^\n]+$/,
  );
});

test('a long value is cut', (context) => {
  const message = refusal(createWorkspace(context), `kafka:\n  topic: ${'x'.repeat(500)}`);
  assert.match(message, /^config\.yaml line 2: kafka\.topic is "x{79}…; expected a topic name/);
});
