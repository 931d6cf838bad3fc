import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UnitCounts } from '../../src/core/messages.ts';
import { QUARANTINE_REASONS } from '../../src/core/quarantine.ts';
import { upkeepErrorOf } from '../../src/core/upkeep-error.ts';
import type { IngestObserver } from '../../src/pipeline/observer.ts';
import { createEvents } from '../../src/telemetry/events.ts';
import { Health } from '../../src/telemetry/health.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';

function setUp() {
  const lines: Record<string, unknown>[] = [];
  const stream = { write: (text: string) => void lines.push(JSON.parse(text) as Record<string, unknown>) };
  const metrics = createMetrics({ version: '1.2.3', instance: '' });
  const health = new Health();
  const clock = { now: () => 1_700_000_000_500, monotonic: () => 0 };
  const events = createEvents({
    logger: createLogger({ level: 'debug', instance: null, stream }),
    metrics,
    health,
    clock,
  });
  /** Values of the samples that begin with a name, by the rest of the line. */
  const samples = async (name: string): Promise<Record<string, number>> => {
    const found = (await metrics.registry.metrics()).split('\n').filter((line) => line.startsWith(name));
    return Object.fromEntries(
      found.map((line) => [line.slice(name.length, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]),
    );
  };
  return { events, health, lines, samples };
}

const NOTHING: UnitCounts = {
  consumed: 0,
  written: 0,
  filtered: 0,
  quarantined: 0,
  missingTimestamps: 0,
  unknownLevels: 0,
  quarantineReasons: {},
};

test('the events are what the ingest loop reports', () => {
  const { events } = setUp();
  const observer: Omit<IngestObserver, 'sealable'> = events;
  assert.equal(typeof observer.unitHanded, 'function');
});

test('processed and dropped account for every consumed record', async () => {
  const { events, lines, samples } = setUp();
  events.unitHanded({
    ...NOTHING,
    consumed: 10,
    written: 5,
    filtered: 2,
    quarantined: 3,
    missingTimestamps: 4,
    unknownLevels: 1,
    quarantineReasons: { not_json: 2, too_deep: 1 },
  });
  events.unitHanded({
    ...NOTHING,
    consumed: 7,
    written: 6,
    quarantined: 1,
    quarantineReasons: { not_json: 1 },
  });
  const dropped = await samples('logs_dropped_total');
  const total = Object.values(dropped).reduce((sum, value) => sum + value, 0);
  assert.deepEqual(await samples('logs_processed_total'), { '': 11 });
  assert.equal(total + 11, 17);
  assert.partialDeepStrictEqual(dropped, {
    '{reason="below_min_level"}': 2,
    '{reason="not_json"}': 3,
    '{reason="too_deep"}': 1,
    '{reason="empty"}': 0,
  });
  assert.equal(Object.keys(dropped).length, QUARANTINE_REASONS.length + 1);
  assert.deepEqual(await samples('log_consumer_missing_timestamps_total'), { '': 4 });
  assert.deepEqual(await samples('log_consumer_unknown_levels_total'), { '': 1 });
  // The second unit comes within the quiet time.
  assert.deepEqual(
    lines.map(({ message, records }) => [message, records]),
    [['records went to the quarantine', 3]],
  );
});

test('readiness follows the group', async () => {
  const { events, health, samples } = setUp();
  assert.equal(health.ready().ready, false);
  events.assigned(1, [
    { topic: 'logs', partition: 0 },
    { topic: 'logs', partition: 3 },
  ]);
  assert.equal(health.ready().ready, true);
  assert.deepEqual(await samples('log_consumer_assigned_partitions'), { '': 2 });
  events.rebalancing();
  assert.deepEqual(health.ready().reasons, ['consumer: the consumer group is rebalancing']);
  assert.deepEqual(await samples('log_consumer_rebalances_total'), { '': 1 });
  events.assigned(2, []);
  assert.equal(health.ready().ready, true);
});

test('lag of a lost partition disappears', async () => {
  const { events, samples } = setUp();
  events.lag('logs', 0, 5);
  events.lag('logs', 1, 7);
  events.lagLost('logs', 0);
  assert.deepEqual(await samples('kafka_consumer_lag'), { '{topic="logs",partition="1"}': 7 });
});

test('a checkpoint is progress', async () => {
  const { events, samples } = setUp();
  events.checkpointDurable(42, 12, { service_logs: 1000, quarantine: 0 });
  events.latency(120, 1000);
  assert.deepEqual(await samples('log_consumer_checkpoint_sequence'), { '': 42 });
  assert.deepEqual(await samples('log_consumer_last_progress_timestamp_seconds'), { '': 1_700_000_000.5 });
  assert.deepEqual(await samples('file_size_bytes'), {
    '{file="service_logs"}': 1000,
    '{file="quarantine"}': 0,
  });
  assert.deepEqual(await samples('log_consumer_checkpoint_duration_seconds_sum'), { '': 0.012 });
  assert.deepEqual(await samples('processing_latency_count'), { '': 1000 });
});

test('commits by outcome', async () => {
  const { events, lines, samples } = setUp();
  events.committed(1, 8);
  events.commitFailed(2, Object.assign(new Error('rebalancing'), { type: 'REBALANCE_IN_PROGRESS' }));
  events.commitFailed(3, new Error('connection lost'));
  assert.deepEqual(await samples('log_consumer_commits_total'), {
    '{outcome="committed"}': 1,
    '{outcome="fenced"}': 1,
    '{outcome="failed"}': 1,
  });
  assert.deepEqual(
    lines.map(({ level }) => level),
    ['DEBUG', 'WARN', 'WARN'],
  );
});

test('offsets given up are counted and reported as an error', async () => {
  const { events, lines, samples } = setUp();
  events.positionJumped('logs', 1, 100, 250, 'deleted_by_kafka');
  events.positionJumped('logs', 1, 500, 0, 'topic_recreated');
  assert.deepEqual(await samples('log_consumer_records_lost_total'), {
    '{reason="deleted_by_kafka"}': 150,
    '{reason="topic_recreated"}': 0,
  });
  assert.deepEqual(await samples('log_consumer_position_jumps_total'), {
    '{reason="deleted_by_kafka"}': 1,
    '{reason="topic_recreated"}': 1,
  });
  assert.partialDeepStrictEqual(lines[0], {
    level: 'ERROR',
    topic: 'logs',
    partition: 1,
    from: 100,
    to: 250,
  });
});

test('a full disk makes the service not ready, and it recovers', async () => {
  const { events, health, samples } = setUp();
  events.assigned(1, []);
  events.diskBlocked('no space left');
  assert.deepEqual(health.ready().reasons, ['disk: no space left']);
  assert.deepEqual(await samples('log_consumer_disk_blocked'), { '': 1 });
  events.diskUnblocked();
  assert.equal(health.ready().ready, true);
  assert.deepEqual(await samples('log_consumer_disk_blocked'), { '': 0 });
});

test('what is out of order for a while has a state, and a halted archive is no lack of readiness', async () => {
  const { events, health, lines, samples } = setUp();
  events.assigned(1, []);
  const states = () => samples('log_consumer_circuit_state');
  const NORMAL = {
    '{circuit="broker"}': 0,
    '{circuit="disk"}': 0,
    '{circuit="seal"}': 0,
    '{circuit="backup"}': 0,
  };
  assert.deepEqual(await states(), NORMAL);
  events.sealCircuit('open', new Error('EIO'));
  const reason = 'archive: closed files cannot be archived (EIO)';
  assert.deepEqual(health.ready(), { ready: true, reasons: [], degraded: [reason] });
  assert.deepEqual(await states(), { ...NORMAL, '{circuit="seal"}': 2 });
  events.sealCircuit('half_open', new Error('EIO'));
  assert.deepEqual(await states(), { ...NORMAL, '{circuit="seal"}': 1 });
  assert.deepEqual(health.ready().degraded, [reason]);
  events.sealCircuit('closed', undefined);
  assert.deepEqual(health.ready(), { ready: true, reasons: [], degraded: [] });
  events.diskBlocked('no space left');
  events.brokerTrouble('no answer');
  assert.deepEqual(await states(), { ...NORMAL, '{circuit="disk"}': 2, '{circuit="broker"}': 2 });
  events.diskUnblocked();
  events.brokerBack();
  assert.deepEqual(await states(), NORMAL);
  assert.equal(lines.filter(({ message }) => /archiving is held back/.test(String(message))).length, 1);
});

test('a standstill makes the service not ready until something becomes durable', async () => {
  const { events, health, samples } = setUp();
  events.assigned(1, []);
  events.stalled('3 tasks in work', 32_400);
  assert.deepEqual(health.ready().reasons, ['progress: nothing became durable for 32 s (3 tasks in work)']);
  assert.deepEqual(await samples('log_consumer_stalled'), { '': 1 });
  events.moving();
  assert.equal(health.ready().ready, true);
  assert.deepEqual(await samples('log_consumer_stalled'), { '': 0 });
});

test('a file that is not tried again by this process is told as such', () => {
  const { events, lines } = setUp();
  events.sealFailed('/x', new Error('altered'), null);
  events.sealFailed('/y', new Error('EIO'), 1234.5);
  assert.match(String(lines[0]?.['message']), /looked at again at the next start$/);
  assert.match(String(lines[1]?.['message']), /tried again$/);
  assert.equal(lines[1]?.['retry_in_ms'], 1235);
});

test('files: rotation and archiving', async () => {
  const { events, samples } = setUp();
  events.rotated('audit_logs', '/logs/archive/x', 10, 2);
  events.sealed('/logs/archive/x', 10, 5, 1);
  events.sealFailed('/logs/archive/y', new Error('EIO'), 1000);
  assert.partialDeepStrictEqual(await samples('log_consumer_rotations_total'), {
    '{file="audit_logs"}': 1,
    '{file="service_logs"}': 0,
  });
  assert.deepEqual(await samples('log_consumer_sealed_files_total'), { '': 1 });
  assert.deepEqual(await samples('log_consumer_seal_failures_total'), { '': 1 });
});

test('dead letters: what stands in the way is said once, and counted always', async () => {
  const { events, lines, samples } = setUp();
  events.upkeepJob({ kind: 'dead_letters_sent', entries: 3 });
  events.upkeepJob({
    kind: 'dead_letter_too_large',
    message: 'The record of logs/0 offset 7 is too large.',
    isFirst: true,
  });
  events.upkeepJob({
    kind: 'dead_letter_too_large',
    message: 'The record of logs/0 offset 8 is too large.',
    isFirst: false,
  });
  events.upkeepJob({ kind: 'dead_letters_failed', error: upkeepErrorOf(new Error('no topic')), isNew: true });
  events.upkeepJob({
    kind: 'dead_letters_failed',
    error: upkeepErrorOf(new Error('no topic')),
    isNew: false,
  });
  events.upkeepJob({ kind: 'dead_letters_back' });
  assert.deepEqual(
    lines.map(({ message }) => message),
    [
      'The record of logs/0 offset 7 is too large.',
      'quarantined records not sent to the dead-letter topic yet',
      'quarantined records are sent to the dead-letter topic again',
    ],
  );
  assert.deepEqual(await samples('log_consumer_dead_letters_total'), { '': 3 });
  assert.deepEqual(await samples('log_consumer_dead_letters_too_large_total'), { '': 2 });
  assert.deepEqual(await samples('log_consumer_dead_letter_failures_total'), { '': 2 });
});

test('the end: stopping is not ready, a failure is not alive', () => {
  const { events, health, lines } = setUp();
  events.assigned(1, []);
  events.shutdownStarted('SIGTERM', 25_000);
  assert.deepEqual(health.ready().reasons, ['process: stopping on SIGTERM']);
  assert.equal(health.live().live, true);
  events.failed(new Error('fsync failed'));
  assert.deepEqual(health.live().reasons, ['process: fsync failed']);
  assert.equal(lines.at(-1)?.['level'], 'FATAL');
});

test('what the Kafka client tells is ours to debug, what it complains about is not', () => {
  const { events, lines } = setUp();
  events.kafkaLog('info', 'joined', { namespace: 'ConsumerGroup' });
  events.kafkaLog('error', 'connection refused', { broker: 'b:1' });
  assert.deepEqual(
    lines.map(({ level, message, kafka }) => [level, message, kafka]),
    [
      ['DEBUG', 'joined', { namespace: 'ConsumerGroup' }],
      ['ERROR', 'connection refused', { broker: 'b:1' }],
    ],
  );
});

test('the start says what is in effect and what has no effect', () => {
  const { events, lines } = setUp();
  events.starting({ kafka: { topic: 'logs' } }, ['API_PORT has no effect.']);
  events.listening('127.0.0.1', 9464);
  assert.deepEqual(
    lines.map(({ level, message }) => [level, message]),
    [
      ['INFO', 'starting'],
      ['WARN', 'API_PORT has no effect.'],
      ['INFO', 'serving metrics and health'],
    ],
  );
});

test('version and process metrics are there', async () => {
  const { samples } = setUp();
  assert.deepEqual(await samples('log_consumer_build_info'), {
    [`{version="1.2.3",node="${process.version}",instance=""}`]: 1,
  });
  assert.ok('' in (await samples('process_resident_memory_bytes')));
});
