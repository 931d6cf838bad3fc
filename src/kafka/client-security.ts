/** What a kafkajs client is given so that its connections are protected as configured. */
import type { KafkaConfig } from 'kafkajs';
import type { KafkaSecurity, SaslOptions } from '../core/kafka-security.ts';
import { oauthBearer } from './oauth-bearer.ts';
import { connectionOptions } from './tls.ts';
import { tokenFromCommand } from './token-command.ts';
import { tokenFromEndpoint } from './token-endpoint.ts';
import { TokenSource } from './token-source.ts';

type ClientSecurity = Pick<KafkaConfig, 'ssl' | 'sasl' | 'reauthenticationThreshold'>;

/**
 * How long before the end of a session kafkajs logs in again (KIP-368). With its own 10 s, a session of
 * 10 s or less would log in before every request, which the broker answers by closing the connection.
 */
const REAUTHENTICATION_THRESHOLD_MS = 2000;

/**
 * @throws ServiceError CONFIG_INVALID when a certificate or key cannot be used
 */
export function clientSecurity({ tls, sasl }: KafkaSecurity): ClientSecurity {
  return {
    ...(tls === null ? {} : { ssl: connectionOptions(tls) }),
    ...(sasl === null ? {} : { sasl: login(sasl) }),
    reauthenticationThreshold: REAUTHENTICATION_THRESHOLD_MS,
  };
}

function login(sasl: SaslOptions): NonNullable<KafkaConfig['sasl']> {
  switch (sasl.mechanism) {
    case 'OAUTHBEARER':
      return oauthBearer(tokenSourceOf(sasl));
    case 'PLAIN':
      return { mechanism: 'plain', username: sasl.username, password: sasl.password };
    case 'SCRAM-SHA-256':
      return { mechanism: 'scram-sha-256', username: sasl.username, password: sasl.password };
    case 'SCRAM-SHA-512':
      return { mechanism: 'scram-sha-512', username: sasl.username, password: sasl.password };
  }
}

/** All clients of one configuration share its token, so that the identity provider is asked once. */
const tokenSources = new WeakMap<SaslOptions, TokenSource>();

function tokenSourceOf(sasl: Extract<SaslOptions, { mechanism: 'OAUTHBEARER' }>): TokenSource {
  const known = tokenSources.get(sasl);
  if (known !== undefined) return known;
  const { token } = sasl;
  const source = new TokenSource(() =>
    token.kind === 'command' ? tokenFromCommand(token.command) : tokenFromEndpoint(token),
  );
  tokenSources.set(sasl, source);
  return source;
}
