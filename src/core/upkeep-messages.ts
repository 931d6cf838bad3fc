/**
 * All messages between the ingest process and its upkeep process, which does to closed files what must not
 * cost ingestion its time or its memory. Plain, readonly, tagged; an unknown kind is fatal.
 */
import type { CategoryRules } from './category-rules.ts';
import type { SealFormat } from './seal-format.ts';

/** What the upkeep process is started with. */
export interface UpkeepOptions {
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
}

/** Ingest process to upkeep process. */
export type UpkeepRequest =
  /** The first request of all. */
  | { readonly kind: 'start'; readonly options: UpkeepOptions }
  /** A segment is to be sealed. @param path without suffix */
  | { readonly kind: 'seal'; readonly path: string }
  /** Leave what is not begun, give up what is, and end. */
  | { readonly kind: 'stop' };

/** An error as it crosses from process to process. */
export interface UpkeepError {
  readonly message: string;
  /** The errno name, when it is a system error. */
  readonly code: string | null;
}

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
      readonly state: 'closed' | 'open' | 'half_open';
      readonly error: UpkeepError | null;
    };
