/** From `kafka.tls` and `kafka.sasl` as written to what a client of Kafka is given. */
import type {
  ClientCertificate,
  KafkaSecurity,
  SaslOptions,
  TlsOptions,
  TokenOrigin,
} from '../core/kafka-security.ts';
import type { Settings } from './schema.ts';

type Kafka = Settings['kafka'];

/** What security-relations.ts refuses does not arrive here. */
export function securityFrom({ tls, sasl }: Pick<Kafka, 'tls' | 'sasl'>): KafkaSecurity {
  return { tls: tls.enabled ? tlsFrom(tls) : null, sasl: saslFrom(sasl) };
}

function tlsFrom(tls: Kafka['tls']): TlsOptions {
  return {
    caFile: orNull(tls.ca_file),
    client: tls.certificate_file === '' ? null : clientCertificateFrom(tls),
    serverName: orNull(tls.server_name),
  };
}

function clientCertificateFrom(tls: Kafka['tls']): ClientCertificate {
  return {
    certificateFile: tls.certificate_file,
    keyFile: tls.key_file,
    passphrase: orNull(tls.key_passphrase),
  };
}

function saslFrom(sasl: Kafka['sasl']): SaslOptions | null {
  const { mechanism, username, password } = sasl;
  switch (mechanism) {
    case 'none':
      return null;
    case 'OAUTHBEARER':
      return { mechanism, token: tokenFrom(sasl) };
    case 'PLAIN':
    case 'SCRAM-SHA-256':
    case 'SCRAM-SHA-512':
      return { mechanism, username, password };
  }
}

function tokenFrom(sasl: Kafka['sasl']): TokenOrigin {
  if (sasl.token_url === '') return { kind: 'command', command: sasl.token_command };
  return {
    kind: 'url',
    url: sasl.token_url,
    clientId: sasl.client_id,
    clientSecret: sasl.client_secret,
    scope: orNull(sasl.scope),
  };
}

function orNull(text: string): string | null {
  return text === '' ? null : text;
}
