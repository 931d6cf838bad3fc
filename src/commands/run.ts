import { resolve } from 'node:path';
import type { Config } from '../config/config.ts';
import { requireMemory } from '../config/load.ts';
import { systemClock } from '../core/clock.ts';
import { EXIT, ServiceError } from '../core/errors.ts';
import { UPKEEP_BACKOFF } from '../core/limits.ts';
import type { UpkeepJobEvent, UpkeepOptions } from '../core/upkeep-messages.ts';
import type { IngestObserver } from '../pipeline/observer.ts';
import { IngestService } from '../pipeline/service.ts';
import { createEvents, type Events } from '../telemetry/events.ts';
import { Health } from '../telemetry/health.ts';
import { createLogger } from '../telemetry/logger.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { startOpsServer } from '../telemetry/ops-server.ts';
import { createTransformPool, type TransformPool } from '../transform/pool.ts';
import { UpkeepClient } from '../upkeep/upkeep-client.ts';
import { CONFIG_OPTION, type Command } from './command.ts';
import { configOf, directoryOf } from './config-of.ts';
import { onStopSignal } from './signals.ts';
import { VERSION } from './version.ts';

export const runCommand: Command = {
  name: 'run',
  summary: 'Consumes the topic into files until SIGTERM or SIGINT; a second signal forces.',
  details: [
    'Serves /metrics, /health/live and /health/ready on the ops port.',
    'Exits 0 after an orderly stop, 1 on a failure that it cannot go on from, 78 on invalid configuration.',
  ],
  options: { config: CONFIG_OPTION },
  async run(context) {
    const config = configOf(context);
    requireMemory(config);
    const logger = createLogger({ level: config.telemetry.logLevel, instance: config.output.instanceId });
    const metrics = createMetrics({ version: VERSION, instance: config.output.instanceId ?? '' });
    const health = new Health();
    const events = createEvents({ logger, metrics, health, clock: systemClock });
    events.starting(config.described, config.warnings);
    events.memoryBounded(config.memory.boundBytes, config.memory.limitBytes);
    try {
      const ops = await startOpsServer({ ...config.ops, registry: metrics.registry, health });
      events.listening(config.ops.host, ops.port);
      await consume(config, events).finally(() => ops.close());
      return EXIT.ok;
    } catch (error) {
      events.failed(error);
      if (error instanceof ServiceError) return error.exitCode;
      throw error;
    } finally {
      exitWithoutLeftovers();
    }
  },
};

const LEFTOVERS_MS = 500;

/**
 * After an outage of the broker, kafkajs leaves a socket behind that nobody can close and that would
 * keep the process alive. Everything of ours is closed and synced by now.
 */
function exitWithoutLeftovers(): void {
  setTimeout(() => process.exit(), LEFTOVERS_MS).unref();
}

async function consume(config: Config, events: Events): Promise<void> {
  const pool = createPool(config, (error) => service.fail(error));
  const upkeep = createUpkeep(config, events, {
    isQuiet: () => service.isQuiet(),
    hold: (lacking) => service.hold(lacking),
  });
  const observer: IngestObserver = {
    ...events,
    sealable: (path) => upkeep.seal(path),
  };
  const service = createService(config, pool, observer);
  let stopRequestedAt = 0;
  const release = onStopSignal(
    (signal) => {
      stopRequestedAt = systemClock.monotonic();
      events.shutdownStarted(signal, config.shutdown.deadlineMs);
      service.requestStop();
    },
    (signal) => events.shutdownForced(signal),
  );
  try {
    await service.run(() => upkeep.start());
    events.shutdownFinished(systemClock.monotonic() - stopRequestedAt);
  } finally {
    release();
    await upkeep.stop();
    await pool.close();
  }
}

function createPool(config: Config, onDied: (error: ServiceError) => void): TransformPool {
  const { workers, tasksInFlight, maxRecordBytes, maxDepth, maxDecompressedBytes } = config.transform;
  return createTransformPool(
    {
      workers,
      maxTasks: tasksInFlight,
      unit: {
        minLevel: config.output.minLevel,
        maxRecordBytes,
        maxDepth,
        maxDecompressedBytes,
        categories: config.categories,
      },
    },
    onDied,
  );
}

function createUpkeep(
  config: Config,
  events: Events,
  ingestion: { readonly isQuiet: () => boolean; readonly hold: (lacking: string | null) => void },
): UpkeepClient {
  const { format, compressionLevel, concurrency, columnsMemoryBytes } = config.seal;
  const { deadLetterTopic } = config.quarantine;
  const options: UpkeepOptions = {
    root: resolve(config.output.directory),
    directory: resolve(directoryOf(config)),
    categories: config.categories,
    seal: { format, level: compressionLevel, concurrency, columnsMemoryBytes },
    retention: config.retention,
    backup: config.backup,
    deadLetters: deadLetterTopic === null ? null : { ...config.kafka, topic: deadLetterTopic },
  };
  const upkeepJob = (event: UpkeepJobEvent): void => {
    events.upkeepJob(event);
    if (event.kind === 'watermark') ingestion.hold(event.blocked);
  };
  return new UpkeepClient(options, { ...events, upkeepJob }, ingestion.isQuiet, UPKEEP_BACKOFF);
}

function createService(config: Config, pool: TransformPool, observer: IngestObserver): IngestService {
  const { kafka, output, transform } = config;
  return new IngestService({
    source: kafka,
    policy: kafka,
    writer: { ...output, directory: resolve(directoryOf(config)), instance: output.instanceId ?? '' },
    ingest: transform,
    shutdownDeadlineMs: config.shutdown.deadlineMs,
    pool,
    observer,
    clock: systemClock,
  });
}
