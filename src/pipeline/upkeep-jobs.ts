/** What the upkeep process does besides sealing, as configured: copies, dead letters, removal of old files. */

import { targetIdentity } from '../core/backup-target.ts';
import type { Clock } from '../core/clock.ts';
import type { LogFile } from '../core/files.ts';
import { BACKUP_ATTEMPTS, BACKUP_CIRCUIT, BACKUP_RETRY, UPKEEP_ROUND_MS } from '../core/limits.ts';
import { upkeepErrorOf } from '../core/upkeep-error.ts';
import type { UpkeepEvent, UpkeepJob, UpkeepOptions } from '../core/upkeep-messages.ts';
import { openDeadLetterTopic } from '../kafka/dead-letter-topic.ts';
import { Circuit } from '../resilience/circuit.ts';
import { confirmedThrough } from '../storage/backup-state.ts';
import { loadDeadLetterPosition } from '../storage/dead-letter-position.ts';
import { Backup } from '../upkeep/backup/backup.ts';
import { isStoreOutage } from '../upkeep/backup/backup-run.ts';
import { openStore } from '../upkeep/backup/open-store.ts';
import { DeadLetters } from '../upkeep/dead-letters.ts';
import { Retention } from '../upkeep/retention/retention.ts';
import { Rounds } from '../upkeep/rounds.ts';

type Tell = (event: UpkeepEvent) => void;

export class UpkeepJobs {
  readonly #rounds: Rounds[] = [];
  readonly #afterSealing: Rounds[] = [];
  readonly #close: (() => Promise<void> | void)[] = [];

  constructor(options: UpkeepOptions, clock: Clock, tell: Tell) {
    if (options.backup !== null) {
      const backup = this.#backup(options, options.backup, clock, tell);
      this.#afterSealing.push(backup);
    }
    if (options.deadLetters !== null) this.#deadLetters(options, options.deadLetters, clock, tell);
    this.#afterSealing.push(this.#retention(options, clock, tell));
  }

  start(): void {
    for (const rounds of this.#rounds) rounds.start();
  }

  /** A segment was sealed. */
  sealed(): void {
    for (const rounds of this.#afterSealing) rounds.soon();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#rounds.map((rounds) => rounds.stop()));
    for (const close of this.#close) await close();
  }

  #add(job: UpkeepJob, tell: Tell, run: (signal: AbortSignal) => Promise<void>): Rounds {
    const onFailed = (error: unknown): void => tell({ kind: 'job_failed', job, error: upkeepErrorOf(error) });
    const rounds = new Rounds({ everyMs: UPKEEP_ROUND_MS, run, onFailed });
    this.#rounds.push(rounds);
    return rounds;
  }

  #backup(
    { root, directory }: UpkeepOptions,
    target: NonNullable<UpkeepOptions['backup']>,
    clock: Clock,
    tell: Tell,
  ): Rounds {
    const circuit = new Circuit({
      ...BACKUP_CIRCUIT,
      isOutage: isStoreOutage,
      clock,
      onChange: (state, error) =>
        tell({ kind: 'backup_circuit', state, error: error === undefined ? null : upkeepErrorOf(error) }),
    });
    let backup: Backup | undefined;
    return this.#add('backup', tell, async (signal) => {
      if (backup === undefined) {
        const store = await openStore(target);
        this.#close.push(() => store.close());
        backup = new Backup({
          root,
          directory,
          store,
          target: targetIdentity(target),
          partBytes: target.partBytes,
          concurrency: target.concurrency,
          attempts: BACKUP_ATTEMPTS,
          pauses: BACKUP_RETRY,
          circuit,
          onUploaded: (path, bytes, durationMs) => tell({ kind: 'backed_up', path, bytes, durationMs }),
          onFailed: (path, error, retryInMs) =>
            tell({ kind: 'backup_failed', path, error: upkeepErrorOf(error), retryInMs }),
          onBacklog: (files, bytes) => tell({ kind: 'backup_backlog', files, bytes }),
        });
      }
      const { problems } = await backup.runOnce(signal);
      tell({ kind: 'backup_problems', problems });
    });
  }

  #deadLetters(
    { directory }: UpkeepOptions,
    target: NonNullable<UpkeepOptions['deadLetters']>,
    clock: Clock,
    tell: Tell,
  ): void {
    const topic = openDeadLetterTopic(target);
    this.#close.push(() => topic.close());
    const letters = new DeadLetters({
      directory,
      topic,
      clock,
      onSent: (entries) => tell({ kind: 'dead_letters_sent', entries }),
      onTooLarge: (message, isFirst) => tell({ kind: 'dead_letter_too_large', message, isFirst }),
      onFailed: (error, isNew) => tell({ kind: 'dead_letters_failed', error: upkeepErrorOf(error), isNew }),
      onBack: () => tell({ kind: 'dead_letters_back' }),
    });
    this.#add('dead_letters', tell, async (signal) => {
      await letters.runOnce(signal);
    });
  }

  #retention(options: UpkeepOptions, clock: Clock, tell: Tell): Rounds {
    const { directory, retention: policy } = options;
    const retention = new Retention({
      directory,
      policy,
      clock,
      mayGoThrough: (file) => mayGoThrough(options, file),
      onRemoved: (segments, bytes) => tell({ kind: 'removed', segments, bytes }),
    });
    return this.#add('retention', tell, async () => {
      const { blocked } = await retention.runOnce();
      tell({ kind: 'watermark', blocked });
    });
  }
}

/** Nothing goes that others still need: the backup all of it, the dead-letter topic the quarantine. */
function mayGoThrough({ directory, backup, deadLetters }: UpkeepOptions, file: LogFile): number {
  const confirmed =
    backup === null ? Number.MAX_SAFE_INTEGER : confirmedThrough(directory, targetIdentity(backup))[file];
  if (deadLetters === null || file !== 'quarantine') return confirmed;
  return Math.min(confirmed, loadDeadLetterPosition(directory).segment - 1);
}
