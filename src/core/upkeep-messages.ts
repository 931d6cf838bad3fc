/**
 * All messages between the ingest process and its upkeep process, which does to closed files what must not
 * cost ingestion its time or its memory. Plain, readonly, tagged; an unknown kind is fatal.
 */
import type { BackupTarget } from './backup-target.ts';
import type { CategoryRules } from './category-rules.ts';
import type { KafkaSecurity } from './kafka-security.ts';
import type { RetentionPolicy } from './retention-policy.ts';
import type { SealFormat } from './seal-format.ts';
import type { UpkeepError } from './upkeep-error.ts';

/** What the upkeep process is started with. */
export interface UpkeepOptions {
  /** The output root, which instances can share. */
  readonly root: string;
  /** The directory of one instance. */
  readonly directory: string;
  readonly categories: CategoryRules;
  readonly seal: {
    readonly format: SealFormat;
    readonly level: number;
    readonly concurrency: number;
    /** For the columnar sidecar that is being written. */
    readonly columnsMemoryBytes: number;
  };
  readonly retention: RetentionPolicy;
  /** Null when nothing is copied. */
  readonly backup: BackupTarget | null;
  /** Null when quarantined records are not sent anywhere. */
  readonly deadLetters: DeadLetterTarget | null;
}

/** The topic for quarantined records, and how to reach it. */
export interface DeadLetterTarget extends KafkaSecurity {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly clientId: string;
  readonly connectionTimeoutMs: number;
  readonly requestTimeoutMs: number;
}

/** Ingest process to upkeep process. */
export type UpkeepRequest =
  /** The first request of all. */
  | { readonly kind: 'start'; readonly options: UpkeepOptions }
  /** A segment is to be sealed. @param path without suffix */
  | { readonly kind: 'seal'; readonly path: string }
  /** Whether ingestion leaves the machine time for other work; it does at the start. */
  | { readonly kind: 'pace'; readonly isQuiet: boolean }
  /** Leave what is not begun, give up what is, and end. */
  | { readonly kind: 'stop' };

/** Upkeep process to ingest process. */
export type UpkeepEvent =
  /** It holds its lock, and takes requests. */
  | { readonly kind: 'ready' }
  /** It cannot go on and ends. */
  | { readonly kind: 'failed'; readonly error: UpkeepError }
  | {
      readonly kind: 'sealed';
      /** As in the request. */
      readonly segment: string;
      /** Of the compressed file. */
      readonly path: string;
      readonly plainBytes: number;
      readonly sealedBytes: number;
      readonly durationMs: number;
    }
  | {
      readonly kind: 'seal_failed';
      readonly path: string;
      readonly error: UpkeepError;
      /** Null when it is not tried again by this process. */
      readonly retryInMs: number | null;
    }
  | {
      readonly kind: 'seal_circuit';
      readonly state: CircuitState;
      readonly error: UpkeepError | null;
    }
  | UpkeepJobEvent;

type CircuitState = 'closed' | 'open' | 'half_open';

/** What the jobs beside sealing have to tell. */
export type UpkeepJobEvent =
  /** A round of a job failed; the next one comes all the same. */
  | { readonly kind: 'job_failed'; readonly job: UpkeepJob; readonly error: UpkeepError }
  /** A file was sent to the store, or, with 0 bytes, found there. */
  | { readonly kind: 'backed_up'; readonly path: string; readonly bytes: number; readonly durationMs: number }
  /** @param retryInMs null when it is left to the next round */
  | {
      readonly kind: 'backup_failed';
      readonly path: string;
      readonly error: UpkeepError;
      readonly retryInMs: number | null;
    }
  | { readonly kind: 'backup_backlog'; readonly files: number; readonly bytes: number }
  /** What a round could not copy, one sentence each. */
  | { readonly kind: 'backup_problems'; readonly problems: readonly string[] }
  | { readonly kind: 'backup_circuit'; readonly state: CircuitState; readonly error: UpkeepError | null }
  | { readonly kind: 'dead_letters_sent'; readonly entries: number }
  | { readonly kind: 'dead_letter_too_large'; readonly message: string; readonly isFirst: boolean }
  | { readonly kind: 'dead_letters_failed'; readonly error: UpkeepError; readonly isNew: boolean }
  | { readonly kind: 'dead_letters_back' }
  /** Old segments went. */
  | { readonly kind: 'removed'; readonly segments: number; readonly bytes: number }
  /** After a look at the disk. @param blocked why it is too full although nothing more may go; else null */
  | { readonly kind: 'watermark'; readonly blocked: string | null };

export const UPKEEP_JOBS = ['backup', 'dead_letters', 'retention'] as const;

export type UpkeepJob = (typeof UPKEEP_JOBS)[number];
