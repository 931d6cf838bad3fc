/** What the upkeep process does besides sealing: one place for the counters, the health and the log lines. */
import { unreachable } from '../core/invariant.ts';
import { errorFrom, type UpkeepError } from '../core/upkeep-error.ts';
import type { UpkeepJobEvent } from '../core/upkeep-messages.ts';
import type { EventSinks } from './event-sinks.ts';
import { CIRCUIT_VALUES } from './metrics.ts';

export function upkeepJobEvents(sinks: EventSinks): { upkeepJob(event: UpkeepJobEvent): void } {
  const { logger, metrics } = sinks;
  const problems = backupProblems(sinks);
  return {
    upkeepJob(event) {
      switch (event.kind) {
        case 'job_failed':
          metrics.upkeepJobFailures.inc({ job: event.job });
          logger.error(
            { job: event.job, error: errorFrom(event.error) },
            'upkeep job failed; it is tried again',
          );
          break;
        case 'backed_up':
          metrics.backupFiles.inc();
          metrics.backupBytes.inc(event.bytes);
          logger.debug(
            { path: event.path, bytes: event.bytes, duration_ms: event.durationMs },
            'file backed up',
          );
          break;
        case 'backup_failed':
          metrics.backupFailures.inc();
          logger.error(backupFailure(event), 'file not backed up yet');
          break;
        case 'backup_backlog':
          metrics.backupBacklogFiles.set(event.files);
          metrics.backupBacklogBytes.set(event.bytes);
          break;
        case 'backup_problems':
          problems(event.problems);
          break;
        case 'backup_circuit':
          backupCircuit(sinks, event.state, event.error);
          break;
        case 'dead_letters_sent':
          metrics.deadLetters.inc(event.entries);
          break;
        case 'dead_letter_too_large':
          metrics.deadLettersTooLarge.inc();
          if (event.isFirst) logger.warn(event.message);
          break;
        case 'dead_letters_failed':
          metrics.deadLetterFailures.inc();
          if (!event.isNew) break;
          logger.error(
            { error: errorFrom(event.error) },
            'quarantined records not sent to the dead-letter topic yet',
          );
          break;
        case 'dead_letters_back':
          logger.info('quarantined records are sent to the dead-letter topic again');
          break;
        case 'removed':
          metrics.retentionFiles.inc(event.segments);
          metrics.retentionBytes.inc(event.bytes);
          logger.info({ segments: event.segments, bytes: event.bytes }, 'old files removed');
          break;
        case 'watermark':
          // Whoever holds the ingestion says so (spaceLacking).
          break;
        default:
          unreachable(event, 'upkeep job event');
      }
    },
  };
}

function backupFailure(event: Extract<UpkeepJobEvent, { kind: 'backup_failed' }>): Record<string, unknown> {
  return { path: event.path, error: errorFrom(event.error), retry_in_ms: event.retryInMs };
}

/** What a round could not copy is a state: the same again is no news. */
function backupProblems({ logger, health }: EventSinks): (problems: readonly string[]) => void {
  let last: string | undefined;
  return (problems) => {
    const [first] = problems;
    const more = problems.length < 2 ? '' : ` (and ${problems.length - 1} more)`;
    const reason = first === undefined ? undefined : `not everything is backed up: ${first}${more}`;
    health.set('backup', reason === undefined ? { kind: 'ready' } : { kind: 'degraded', reason });
    if (reason !== undefined && reason !== last) logger.warn(reason);
    last = reason;
  };
}

function backupCircuit(
  { logger, metrics }: EventSinks,
  state: keyof typeof CIRCUIT_VALUES,
  error: UpkeepError | null,
): void {
  metrics.circuitState.set({ circuit: 'backup' }, CIRCUIT_VALUES[state]);
  if (state === 'closed') logger.info('files are backed up again');
  else if (state === 'open')
    logger.warn(
      { error: error === null ? undefined : errorFrom(error) },
      'the backup store is in trouble; it is tried with one file at a time',
    );
}
