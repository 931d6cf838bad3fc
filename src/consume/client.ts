/** Settings of the Kafka client that are safe for us; each reason is in docs/adr/0003. */
import { Kafka, type KafkaConfig, logLevel, type RetryOptions } from 'kafkajs';
import type { KafkaSecurity } from '../core/kafka-security.ts';
import { clientSecurity } from '../kafka/client-security.ts';
import { type KafkaLog, kafkaLogCreator } from './kafka-log.ts';

export interface ClientOptions extends KafkaSecurity {
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly connectionTimeoutMs: number;
  readonly requestTimeoutMs: number;
}

/**
 * The client's own back-off; the consumer's default of 5 tries would override it, so both get this. A
 * broker that comes back is found within seconds, and the watchdog hears of every try.
 */
export const RETRY: RetryOptions = {
  initialRetryTime: 300,
  multiplier: 2,
  maxRetryTime: 5000,
  retries: 10,
};

/** For questions that a person waits for: give up within seconds. */
export const IMPATIENT_RETRY: RetryOptions = { initialRetryTime: 200, maxRetryTime: 1000, retries: 2 };

/** @throws ServiceError CONFIG_INVALID when a certificate or key cannot be used */
export function createKafka(options: ClientOptions, log: KafkaLog, retry: RetryOptions = RETRY): Kafka {
  const config: KafkaConfig = {
    brokers: [...options.brokers],
    clientId: options.clientId,
    connectionTimeout: options.connectionTimeoutMs,
    requestTimeout: options.requestTimeoutMs,
    enforceRequestTimeout: true,
    ...clientSecurity(options),
    retry,
    logLevel: logLevel.INFO,
    logCreator: kafkaLogCreator(log),
  };
  return new Kafka(config);
}
