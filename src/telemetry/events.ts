/**
 * One function for each thing that happens: it counts, logs and updates health together, so that the three
 * never disagree. Everything that the ingest loop reports goes through here.
 */
import { messageOf } from '../core/errors.ts';
import { isFenced } from '../core/fencing.ts';
import type { LogFile } from '../core/files.ts';
import type { RecoveryAction, UnitCounts } from '../core/messages.ts';
import type { PartitionRange, TopicPartition } from '../core/offsets.ts';
import type { QuarantineReason } from '../core/quarantine.ts';
import type { EventSinks } from './event-sinks.ts';
import { CIRCUIT_VALUES, type COMMIT_OUTCOMES } from './metrics.ts';
import { Throttle } from './throttle.ts';
import { upkeepJobEvents } from './upkeep-events.ts';

/** At most one line about quarantined records in this time; the counters have all of them. */
const QUARANTINE_LOG_INTERVAL_MS = 10_000;

const RECOVERY_TEXT = {
  initialised: 'new output directory',
  cut: 'file cut back to the last checkpoint; Kafka still has what was cut',
  renamed: 'rotation finished that was under way',
  returned: 'rotation undone; its records are not ours',
  fell_back: 'the newest checkpoint was damaged or incomplete; going on from this one',
} as const;

export type Events = ReturnType<typeof createEvents>;

/** All event functions over one log, one registry and one health. */
export function createEvents(sinks: EventSinks) {
  return {
    ...lifecycleEvents(sinks),
    ...groupEvents(sinks),
    ...recordEvents(sinks),
    ...checkpointEvents(sinks),
    ...fileEvents(sinks),
    ...spaceEvents(sinks),
    ...upkeepJobEvents(sinks),
  };
}

function lifecycleEvents({ logger, metrics, health, clock }: EventSinks) {
  return {
    /** The effective configuration, secrets replaced; one warning line for each of its warnings. */
    starting(configuration: Readonly<Record<string, unknown>>, warnings: readonly string[]): void {
      logger.info({ configuration }, 'starting');
      for (const warning of warnings) logger.warn(warning);
    },
    /** What all limits on memory add up to, and what there is. */
    memoryBounded(boundBytes: number, limitBytes: number): void {
      metrics.memoryBound.set(boundBytes);
      metrics.memoryLimit.set(limitBytes);
    },
    /** Metrics and health are served. */
    listening(host: string, port: number): void {
      logger.info({ host, port }, 'serving metrics and health');
    },
    /** What a start found to do before it could go on. */
    recovered(action: RecoveryAction): void {
      const level = action.kind === 'initialised' ? 'info' : 'warn';
      logger[level]({ file: action.file, bytes: action.bytes }, RECOVERY_TEXT[action.kind]);
    },
    /** The files stand at this checkpoint. */
    resumed(sequence: number): void {
      metrics.checkpointSequence.set(sequence);
      metrics.lastProgress.set(clock.now() / 1000);
      logger.info({ sequence }, 'files are ready');
    },
    shutdownStarted(cause: string, deadlineMs: number): void {
      health.set('process', { kind: 'stopping', reason: `stopping on ${cause}` });
      logger.info({ cause, deadline_ms: deadlineMs }, 'stopping');
    },
    shutdownFinished(durationMs: number): void {
      logger.info({ duration_ms: durationMs }, 'stopped; everything consumed is stored and committed');
    },
    /** A second signal: what is not committed is read again at the next start. */
    shutdownForced(cause: string): void {
      logger.warn({ cause }, 'stop forced; what is not committed is read again at the next start');
    },
    /** The service cannot go on; the process exits after this. */
    failed(error: unknown): void {
      health.set('process', {
        kind: 'failed',
        reason: error instanceof Error ? error.message : String(error),
      });
      logger.fatal({ error }, 'failed');
    },
  };
}

function groupEvents({ logger, metrics, health }: EventSinks) {
  return {
    /** Partitions to read from now on, none for a member in reserve. */
    assigned(epoch: number, partitions: readonly TopicPartition[]): void {
      health.set('consumer', { kind: 'ready' });
      metrics.assignedPartitions.set(partitions.length);
      const numbers = partitions.map(({ partition }) => partition);
      logger.info({ epoch, topic: partitions[0]?.topic, partitions: numbers }, 'partitions assigned');
    },
    rebalancing(): void {
      health.set('consumer', { kind: 'blocked', reason: 'the consumer group is rebalancing' });
      metrics.rebalances.inc();
      logger.info('consumer group is rebalancing');
    },
    /** The Kafka client failed at something and tries again; its own lines say at what. */
    brokerTrouble(message: string): void {
      health.set('consumer', { kind: 'blocked', reason: message });
      metrics.circuitState.set({ circuit: 'broker' }, CIRCUIT_VALUES.open);
    },
    brokerBack(): void {
      health.set('consumer', { kind: 'ready' });
      metrics.circuitState.set({ circuit: 'broker' }, CIRCUIT_VALUES.closed);
      logger.info('the broker answers again');
    },
    lag(topic: string, partition: number, records: number): void {
      metrics.lag.set({ topic, partition }, records);
    },
    /** The partition belongs to somebody else now: its series would stand still for ever. */
    lagLost(topic: string, partition: number): void {
      metrics.lag.remove({ topic, partition });
    },
    /** Offsets [from, to) are stored by another instance, or given up as the configuration allows. */
    positionJumped(topic: string, partition: number, from: number, to: number, reason: string): void {
      if (reason === 'stored_by_others') {
        logger.info({ topic, partition, from, to }, 'partition taken over where another instance ended');
        return;
      }
      metrics.positionJumps.inc({ reason });
      metrics.lost.inc({ reason }, Math.max(0, to - from));
      logger.error(
        { topic, partition, from, to, reason },
        'position moved without reading what lies between',
      );
    },
    /** Records after this checkpoint belong to another instance, which reads them from Kafka. */
    rolledBack(sequence: number): void {
      metrics.rollBacks.inc();
      logger.warn({ sequence }, 'files cut back to what the group counts as ours');
    },
    /** A commit whose outcome nobody can tell: our records are kept, and another instance may have them too. */
    ownershipUncertain({ topic, partition, from, to }: PartitionRange): void {
      metrics.uncertain.inc(to - from);
      logger.error({ topic, partition, from, to }, 'records kept that another instance may hold too');
    },
    /** The files lack offsets [from, to) that the group has committed; they are read again. */
    rereading(topic: string, partition: number, from: number, to: number): void {
      logger.warn({ topic, partition, from, to }, 'files are behind the group; reading the difference again');
    },
    /** What the Kafka client logs; its information is our debugging. */
    kafkaLog(
      level: 'error' | 'warn' | 'info' | 'debug',
      message: string,
      details: Readonly<Record<string, unknown>>,
    ): void {
      logger[level === 'info' ? 'debug' : level]({ kafka: details }, message);
    },
  };
}

function recordEvents({ logger, metrics, clock }: EventSinks) {
  const throttle = new Throttle(clock, QUARANTINE_LOG_INTERVAL_MS);
  return {
    /** A unit was handed to the writer; call it once per unit, it accounts for every record in it. */
    unitHanded(counts: UnitCounts): void {
      metrics.processed.inc(counts.written);
      metrics.dropped.inc({ reason: 'below_min_level' }, counts.filtered);
      metrics.missingTimestamps.inc(counts.missingTimestamps);
      metrics.unknownLevels.inc(counts.unknownLevels);
      if (counts.quarantined === 0) return;
      const reasons = Object.entries(counts.quarantineReasons) as [QuarantineReason, number][];
      for (const [reason, records] of reasons) metrics.dropped.inc({ reason }, records);
      const records = throttle.pass(counts.quarantined);
      if (records !== undefined) {
        logger.warn({ records, last_reasons: counts.quarantineReasons }, 'records went to the quarantine');
      }
    },
    /** `records` records became durable this long after their Kafka timestamp. */
    latency(milliseconds: number, records: number): void {
      metrics.latency.observe(milliseconds, records);
    },
    queueChanged(items: number, bytes: number): void {
      metrics.queueItems.set(items);
      metrics.queueBytes.set(bytes);
    },
  };
}

function checkpointEvents({ logger, metrics, health, clock }: EventSinks) {
  return {
    checkpointDurable(
      sequence: number,
      durationMs: number,
      fileBytes: Readonly<Partial<Record<LogFile, number>>>,
    ): void {
      metrics.checkpointSequence.set(sequence);
      metrics.checkpointDuration.observe(durationMs / 1000);
      metrics.lastProgress.set(clock.now() / 1000);
      for (const [file, bytes] of Object.entries(fileBytes)) metrics.fileSize.set({ file }, bytes);
      logger.debug({ sequence, duration_ms: durationMs }, 'checkpoint durable');
    },
    /** There is work, nobody else is to blame, and nothing became durable for so long. */
    stalled(what: string, stillMs: number): void {
      const reason = `nothing became durable for ${Math.round(stillMs / 1000)} s (${what})`;
      health.set('progress', { kind: 'blocked', reason });
      metrics.stalled.set(1);
      logger.error({ pending: what, still_ms: stillMs }, 'no progress');
    },
    moving(): void {
      health.set('progress', { kind: 'ready' });
      metrics.stalled.set(0);
      logger.info('progress again');
    },
    committed(sequence: number, partitions: number): void {
      metrics.commits.inc({ outcome: 'committed' });
      logger.debug({ sequence, partitions }, 'offsets committed');
    },
    /** Nothing is lost by it: the checkpoint stands, and the same commit is sent again or decided at the next assignment. */
    commitFailed(sequence: number, error: unknown): void {
      const outcome = outcomeOf(error);
      metrics.commits.inc({ outcome });
      logger.warn({ sequence, outcome, error }, 'offsets not committed yet');
    },
  };
}

function fileEvents({ logger, metrics, health }: EventSinks) {
  return {
    rotated(file: LogFile, path: string, bytes: number, records: number): void {
      metrics.rotations.inc({ file });
      logger.info({ file, path, bytes, records }, 'file closed');
    },
    sealed(path: string, bytes: number, compressedBytes: number, durationMs: number): void {
      metrics.sealed.inc();
      logger.info(
        { path, bytes, compressed_bytes: compressedBytes, duration_ms: durationMs },
        'file archived',
      );
    },
    /** Closed files that wait to be archived. */
    sealBacklog(files: number): void {
      metrics.sealBacklog.set(files);
    },
    /** The file stays plain. @param retryInMs null when it is tried again at the next start only */
    sealFailed(path: string, error: unknown, retryInMs: number | null): void {
      metrics.sealFailures.inc();
      if (retryInMs === null) {
        logger.error(
          { path, error },
          'file not archived; it stays plain and is looked at again at the next start',
        );
      } else {
        const details = { path, error, retry_in_ms: Math.round(retryInMs) };
        logger.error(details, 'file not archived; it stays plain and is tried again');
      }
    },
    /** The process that does the work behind ingestion is there, or not. */
    upkeepRunning(running: boolean): void {
      metrics.upkeepUp.set(running ? 1 : 0);
      if (running) health.set('upkeep', { kind: 'ready' });
    },
    upkeepDied(reason: string, restartInMs: number): void {
      metrics.upkeepRestarts.inc();
      health.set('upkeep', { kind: 'degraded', reason: `the upkeep process died: ${reason}` });
      logger.error(
        { reason, restart_in_ms: Math.round(restartInMs) },
        'upkeep process died; it is started again',
      );
    },
    /** Compression of closed files was stopped, is tried with one of them, or goes on. */
    sealCircuit(state: keyof typeof CIRCUIT_VALUES, error: unknown): void {
      metrics.circuitState.set({ circuit: 'seal' }, CIRCUIT_VALUES[state]);
      if (state === 'closed') {
        health.set('archive', { kind: 'ready' });
        logger.info('closed files are archived again');
      } else {
        const reason = `closed files cannot be archived (${messageOf(error)})`;
        health.set('archive', { kind: 'degraded', reason });
        if (state === 'open')
          logger.warn({ error }, 'archiving is held back; it is tried with one file at a time');
      }
    },
    diskBlocked(reason: string): void {
      health.set('disk', { kind: 'blocked', reason });
      metrics.diskBlocked.set(1);
      metrics.circuitState.set({ circuit: 'disk' }, CIRCUIT_VALUES.open);
      logger.error({ reason }, 'writing is blocked; it goes on by itself when the disk allows it');
    },
    diskUnblocked(): void {
      health.set('disk', { kind: 'ready' });
      metrics.diskBlocked.set(0);
      metrics.circuitState.set({ circuit: 'disk' }, CIRCUIT_VALUES.closed);
      logger.info('writing goes on');
    },
  };
}

function spaceEvents({ logger, metrics, health }: EventSinks) {
  return {
    /** Reading halts: the disk is above its watermark, and nothing may be removed. */
    spaceLacking(reason: string): void {
      health.set('space', { kind: 'blocked', reason });
      metrics.spaceLacking.set(1);
      logger.error({ reason }, 'reading is halted; it goes on by itself when there is space');
    },
    spaceBack(): void {
      health.set('space', { kind: 'ready' });
      metrics.spaceLacking.set(0);
      logger.info('there is space again; reading goes on');
    },
  };
}

function outcomeOf(error: unknown): (typeof COMMIT_OUTCOMES)[number] {
  return isFenced(error) ? 'fenced' : 'failed';
}
