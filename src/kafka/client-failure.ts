/** What stands behind an error of kafkajs. */
import kafkajs from 'kafkajs';

/** kafkajs wraps the failure that matters in "number of retries exceeded". */
export function rootCauseOf(thrown: unknown): unknown {
  let cause = thrown;
  while (cause instanceof kafkajs.KafkaJSError && cause.cause !== undefined) cause = cause.cause;
  return cause;
}

/** Whether no broker answered. @param cause from `rootCauseOf` */
export function isConnectionFailure(cause: unknown): boolean {
  return (
    cause instanceof kafkajs.KafkaJSConnectionError ||
    cause instanceof kafkajs.KafkaJSRequestTimeoutError ||
    cause instanceof kafkajs.KafkaJSBrokerNotFound
  );
}
