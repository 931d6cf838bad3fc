/** Turns what kafkajs throws about a connection into one sentence: what is wrong, where, and what to do. */
import kafkajs from 'kafkajs';
import { messageOf, ServiceError } from '../core/errors.ts';
import type { KafkaSecurity, SaslOptions } from '../core/kafka-security.ts';
import { AuthenticationFailure } from './authentication-failure.ts';
import { rootCauseOf } from './client-failure.ts';
import { inspectPort } from './port-inspection.ts';
import { tlsFailure } from './tls-failure.ts';

export interface ConnectionTarget extends KafkaSecurity {
  readonly brokers: readonly string[];
}

/**
 * A failure of TLS or of the login, named as such; undefined for any other. A broker that only closed the
 * connection is asked what its port expects.
 */
export async function explainConnectionFailure(
  thrown: unknown,
  target: ConnectionTarget,
): Promise<ServiceError | undefined> {
  return nameConnectionFailure(thrown, target) ?? (await inspected(thrown, target));
}

/** As `explainConnectionFailure`, without asking the broker. */
export function nameConnectionFailure(thrown: unknown, target: ConnectionTarget): ServiceError | undefined {
  const cause = rootCauseOf(thrown);
  if (cause instanceof AuthenticationFailure) return cause.failure;
  if (cause instanceof ServiceError) return cause;
  const where = brokerOf(cause) ?? target.brokers.join(', ');
  const login = target.sasl;
  if (login !== null) {
    const failure = loginFailure(cause, where, login);
    if (failure !== undefined) return failure;
  }
  return target.tls === null ? undefined : tlsFailure(cause, where, target.tls);
}

function loginFailure(cause: unknown, where: string, login: SaslOptions): ServiceError | undefined {
  const { mechanism } = login;
  if (cause instanceof kafkajs.KafkaJSSASLAuthenticationError) {
    return refused(
      where,
      `refused the login${nameOf(login)} with ${mechanism} (${reasonOf(cause)}): check kafka.sasl.username and kafka.sasl.password, and that the broker knows this user for ${mechanism}`,
      cause,
    );
  }
  if (!(cause instanceof kafkajs.KafkaJSProtocolError)) return undefined;
  switch (cause.type) {
    case 'UNSUPPORTED_SASL_MECHANISM':
      return refused(
        where,
        `does not offer ${mechanism} on this port: choose a kafka.sasl.mechanism that the listener has in sasl.enabled.mechanisms`,
        cause,
      );
    case 'ILLEGAL_SASL_STATE':
      return refused(
        where,
        'takes no login on this port: set kafka.sasl.mechanism to none, or use the port that does',
        cause,
      );
    case 'SASL_AUTHENTICATION_FAILED':
      return refused(where, `refused the login${nameOf(login)} with ${mechanism} (${cause.message})`, cause);
    default:
      return undefined;
  }
}

function nameOf(login: SaslOptions): string {
  return login.mechanism === 'OAUTHBEARER' ? '' : ` of "${login.username}"`;
}

/** Without what kafkajs puts in front of the broker's words. */
function reasonOf(error: Error): string {
  return messageOf(error).replace(/^SASL .* failed: /, '');
}

function refused(where: string, what: string, cause: unknown): ServiceError {
  return new ServiceError('AUTHENTICATION_FAILED', `Kafka at ${where} ${what}.`, { brokers: where }, cause);
}

/** Compares what the port turns out to expect with what it was given. */
async function inspected(thrown: unknown, target: ConnectionTarget): Promise<ServiceError | undefined> {
  const broker = brokerOf(rootCauseOf(thrown)) ?? target.brokers[0];
  if (broker === undefined) return undefined;
  const port = await inspectPort(broker, target.tls);
  if (port === undefined) return undefined;
  if (port.isEncrypted && target.tls === null) {
    const what = `expects TLS on this port: set kafka.tls.enabled to true, and kafka.tls.ca_file when its certificate is not from a public authority`;
    return new ServiceError('TLS_FAILED', `Kafka at ${broker} ${what}.`, { brokers: broker }, thrown);
  }
  if (!port.isEncrypted && target.tls !== null) {
    const what = 'does not speak TLS on this port: use the port that does, or set kafka.tls.enabled to false';
    return new ServiceError('TLS_FAILED', `Kafka at ${broker} ${what}.`, { brokers: broker }, thrown);
  }
  if (port.expectsLogin && target.sasl === null) {
    return refused(broker, 'expects a login on this port: set kafka.sasl.mechanism', thrown);
  }
  return undefined;
}

/** `host:port` of the broker that failed, where kafkajs says so. */
function brokerOf(cause: unknown): string | undefined {
  return cause instanceof kafkajs.KafkaJSConnectionError ? cause.broker : undefined;
}
