/**
 * The service's own log: one JSON object per line on standard error, because standard output belongs to
 * what a command prints. Fields are named as in the records we store, so the service can read its own log.
 */
import { type DestinationStream, destination, type Logger, pino, stdSerializers } from 'pino';
import { messageOf, ServiceError } from '../core/errors.ts';

export interface LoggerOptions {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  /** Added to every line; null for none. */
  readonly instance: string | null;
  /** Where lines go instead of standard error. */
  readonly stream?: DestinationStream;
}

/** Names under which secrets travel in the options and errors of libraries, at the top and one level down. */
const SECRET_FIELDS = ['password', 'secret', 'token', 'authorization', 'sasl', 'secretAccessKey'];

const STANDARD_ERROR = 2;

/** A logger whose lines are written before the call returns, so that the last ones survive an exit. */
export function createLogger(options: LoggerOptions): Logger {
  const stream = options.stream ?? destination({ dest: STANDARD_ERROR, sync: true });
  return pino(
    {
      level: options.level,
      base: { service: 'log-consumer', ...(options.instance === null ? {} : { instance: options.instance }) },
      messageKey: 'message',
      errorKey: 'error',
      timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label.toUpperCase() }) },
      serializers: { error: serialiseError },
      redact: { paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`]), censor: '[redacted]' },
    },
    stream,
  );
}

/** An operational error is its code, sentence and details; anything else keeps its stack, to be found. */
function serialiseError(error: unknown): unknown {
  if (error instanceof ServiceError) {
    const cause = error.cause === undefined ? {} : { cause: messageOf(error.cause) };
    return { ...error.serialise(), retryable: error.retryable, ...cause };
  }
  return error instanceof Error ? { ...stdSerializers.err(error), message: messageOf(error) } : error;
}
