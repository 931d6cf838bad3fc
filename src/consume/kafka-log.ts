/** What kafkajs logs, handed to the service's own log. */
import { type LogEntry, logLevel } from 'kafkajs';

export type KafkaLog = (
  level: 'error' | 'warn' | 'info' | 'debug',
  message: string,
  details: Readonly<Record<string, unknown>>,
) => void;

/** kafkajs numbers its levels 1 (error), 2 (warn), 4 (info), 5 (debug). */
const NAMES = new Map<logLevel, 'error' | 'warn' | 'info' | 'debug'>([
  [logLevel.ERROR, 'error'],
  [logLevel.WARN, 'warn'],
  [logLevel.INFO, 'info'],
  [logLevel.DEBUG, 'debug'],
]);

/** A kafkajs log creator; stacks are left out, since every entry already names what failed. */
export function kafkaLogCreator(log: KafkaLog): () => (entry: LogEntry) => void {
  return () =>
    ({ level, namespace, log: { message, timestamp: _timestamp, stack: _stack, ...details } }) => {
      const name = NAMES.get(level);
      if (name !== undefined) log(name, `kafka: ${message}`, { namespace, ...details });
    };
}
