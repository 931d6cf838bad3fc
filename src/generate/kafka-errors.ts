/** Turns what kafkajs throws into one sentence that says what is wrong, where, and what to do. */
import kafkajs from 'kafkajs';
import { messageOf, ServiceError } from '../core/errors.ts';
import { isConnectionFailure, rootCauseOf } from '../kafka/client-failure.ts';
import { type ConnectionTarget, nameConnectionFailure } from '../kafka/connection-failure.ts';

interface Where extends ConnectionTarget {
  readonly topic: string;
}

/** A ServiceError is returned as it is; anything else is wrapped, with the original as its cause. */
export function explainKafkaError(thrown: unknown, where: Where): ServiceError {
  const named = nameConnectionFailure(thrown, where);
  if (named !== undefined) return named;
  const { brokers, topic } = where;
  const cause = rootCauseOf(thrown);
  const broker = brokers.join(', ');
  if (isConnectionFailure(cause)) {
    return new ServiceError(
      'BROKER_UNREACHABLE',
      `Cannot reach Kafka at ${broker} (${messageOf(cause)}); check that the broker runs and that KAFKA_BROKERS names it.`,
      { brokers: broker },
      thrown,
    );
  }
  if (cause instanceof kafkajs.KafkaJSProtocolError && cause.type === 'UNKNOWN_TOPIC_OR_PARTITION') {
    return new ServiceError(
      'TOPIC_MISSING',
      `Topic "${topic}" does not exist on ${broker} any more; create it and start again.`,
      { topic },
      thrown,
    );
  }
  return new ServiceError(
    'KAFKA_FAILED',
    `Kafka at ${broker} did not accept records for topic "${topic}": ${messageOf(cause)}; see the broker's log.`,
    { brokers: broker, topic },
    thrown,
  );
}
