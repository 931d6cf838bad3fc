/**
 * The three kinds of failure and their forms:
 * an expected failure is a returned value; an operational one is a `ServiceError` with a code
 * from the table below; a bug is `invariant()` (see invariant.ts) and stops the process.
 */

/** Exit codes of the command line, as documented in `docs/operations.md`. 78 is EX_CONFIG of sysexits.h. */
export const EXIT = { ok: 0, failed: 1, usage: 2, invalidConfig: 78 } as const;

interface ErrorKind {
  /** Whether waiting and trying the same operation again can succeed without anybody's help. */
  readonly retryable: boolean;
  readonly exitCode: number;
}

const ERROR_KINDS = {
  CONFIG_INVALID: { retryable: false, exitCode: EXIT.invalidConfig },
  USAGE: { retryable: false, exitCode: EXIT.usage },
  BROKER_UNREACHABLE: { retryable: true, exitCode: EXIT.failed },
  TLS_FAILED: { retryable: false, exitCode: EXIT.failed },
  AUTHENTICATION_FAILED: { retryable: false, exitCode: EXIT.failed },
  TOKEN_UNAVAILABLE: { retryable: true, exitCode: EXIT.failed },
  TOPIC_MISSING: { retryable: false, exitCode: EXIT.failed },
  KAFKA_FAILED: { retryable: true, exitCode: EXIT.failed },
  POSITION_IMPOSSIBLE: { retryable: false, exitCode: EXIT.failed },
  DIRECTORY_UNUSABLE: { retryable: false, exitCode: EXIT.failed },
  DIRECTORY_LOCKED: { retryable: false, exitCode: EXIT.failed },
  CHECKPOINT_CORRUPT: { retryable: false, exitCode: EXIT.failed },
  FILE_CORRUPT: { retryable: false, exitCode: EXIT.failed },
  WRITE_FAILED: { retryable: false, exitCode: EXIT.failed },
  SYNC_FAILED: { retryable: false, exitCode: EXIT.failed },
  TRANSFORM_FAILED: { retryable: false, exitCode: EXIT.failed },
  WORKER_DIED: { retryable: false, exitCode: EXIT.failed },
  SHUTDOWN_TIMEOUT: { retryable: false, exitCode: EXIT.failed },
  PORT_UNUSABLE: { retryable: true, exitCode: EXIT.failed },
  STORE_UNREACHABLE: { retryable: true, exitCode: EXIT.failed },
  STORE_REFUSED: { retryable: false, exitCode: EXIT.failed },
  BACKUP_DIFFERS: { retryable: false, exitCode: EXIT.failed },
  STALLED: { retryable: false, exitCode: EXIT.failed },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof ERROR_KINDS;

/** Details travel to logs and JSON output, so they hold plain values only. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean | null>>;

/** An error crossing a thread boundary: structured clone would strip an Error subclass of class and code. */
export interface SerialisedError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: ErrorDetails;
}

/** An operational failure. The message is one sentence: what is wrong, where, and what to do. */
export class ServiceError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'ServiceError';
    this.code = code;
    this.details = details;
  }

  get retryable(): boolean {
    return ERROR_KINDS[this.code].retryable;
  }

  get exitCode(): number {
    return ERROR_KINDS[this.code].exitCode;
  }

  serialise(): SerialisedError {
    return { code: this.code, message: this.message, details: this.details };
  }
}

/** Turns what a thread sent back into the error it was. */
export function deserialiseError(error: SerialisedError): ServiceError {
  return new ServiceError(error.code, error.message, error.details);
}

/** What Node says instead of EDQUOT, for which it has no name. The number is the one of Linux. */
const FULL_QUOTA = 'Unknown system error -122';

/** The text of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return message.replace(`${FULL_QUOTA}: ${FULL_QUOTA}`, 'EDQUOT: disk quota exceeded');
}

/** The errno name (`ENOSPC`, `EACCES`, ...) of a thrown system error, or undefined. */
export function systemCodeOf(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !('code' in thrown)) return undefined;
  if (thrown.code === FULL_QUOTA) return 'EDQUOT';
  return typeof thrown.code === 'string' ? thrown.code : undefined;
}
