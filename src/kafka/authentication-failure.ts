import kafkajs from 'kafkajs';
import type { ServiceError } from '../core/errors.ts';

/**
 * A failed login on its way through kafkajs, which tries again what is `retriable`. It has no `cause`:
 * kafkajs would decide by that one.
 */
export class AuthenticationFailure extends kafkajs.KafkaJSError {
  readonly failure: ServiceError;

  constructor(failure: ServiceError) {
    super(failure.message, { retriable: failure.retryable });
    this.failure = failure;
  }
}
