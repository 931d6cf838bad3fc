/** A broker with a listener for every way in which connections can be protected. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type EmbeddedKafka, startKafka } from '../../scripts/kafka/embedded-kafka.ts';
import { Authority, type Certificate, encryptKey } from './certificates.ts';

export const USER = 'alice';
export const PASSWORD = 'alice-Secr3t#71';
export const PASSPHRASE = 'opens-the-key-4711';

/** Sessions on the listener `SHORT`. */
export const SESSION_MS = 5000;

export interface SecureBroker {
  readonly kafka: EmbeddedKafka;
  readonly authority: Authority;
  /** An authority that nobody trusts. */
  readonly stranger: Authority;
  readonly client: Certificate;
  readonly encryptedKey: string;
}

const LISTENERS = {
  TLS: 'SSL',
  /** Asks for a certificate of the client. */
  MUTUAL: 'SSL',
  /** Its certificate is for kafka.example.com. */
  NAMED: 'SSL',
  EXPIRED: 'SSL',
  /** All mechanisms over TLS. */
  SECURE: 'SASL_SSL',
  /** PLAIN and OAUTHBEARER, in the clear. */
  LOGIN: 'SASL_PLAINTEXT',
  /** PLAIN and OAUTHBEARER, with sessions of SESSION_MS. */
  SHORT: 'SASL_PLAINTEXT',
} as const;

export type Listener = keyof typeof LISTENERS;

/** Certificates are kept below `directory`. */
export async function startSecureBroker(directory: string): Promise<SecureBroker> {
  const files = join(directory, 'certificates');
  mkdirSync(files);
  const authority = new Authority(files, 'authority');
  const stranger = new Authority(files, 'stranger');
  const client = authority.sign('client', 'DNS:client');
  const here = authority.sign('here', 'DNS:localhost,IP:127.0.0.1');
  const certificates: Partial<Record<Listener, Certificate>> = {
    TLS: here,
    MUTUAL: here,
    SECURE: here,
    NAMED: authority.sign('named', 'DNS:kafka.example.com'),
    EXPIRED: authority.sign('expired', 'DNS:localhost,IP:127.0.0.1', '20210101'),
  };
  const kafka = await startKafka({
    extraListeners: LISTENERS,
    extraProperties: {
      ...tlsProperties(certificates, authority),
      ...loginProperties('SECURE', ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER']),
      ...loginProperties('LOGIN', ['PLAIN', 'OAUTHBEARER']),
      ...loginProperties('SHORT', ['PLAIN', 'OAUTHBEARER']),
      'listener.name.short.plain.connections.max.reauth.ms': String(SESSION_MS),
      'listener.name.short.oauthbearer.connections.max.reauth.ms': String(SESSION_MS),
    },
    scramUsers: ['SCRAM-SHA-256', 'SCRAM-SHA-512'].map(
      (mechanism) => `${mechanism}=[name=${USER},password=${PASSWORD}]`,
    ),
  });
  return { kafka, authority, stranger, client, encryptedKey: encryptKey(client.key, PASSPHRASE) };
}

function tlsProperties(
  certificates: Partial<Record<Listener, Certificate>>,
  authority: Authority,
): Record<string, string> {
  const entries = Object.entries(certificates).flatMap(([listener, { both }]) => {
    const prefix = `listener.name.${listener.toLowerCase()}.ssl`;
    return [
      [`${prefix}.keystore.type`, 'PEM'],
      [`${prefix}.keystore.location`, both],
      [`${prefix}.truststore.type`, 'PEM'],
      [`${prefix}.truststore.location`, authority.certificate],
      [`${prefix}.client.auth`, listener === 'MUTUAL' ? 'required' : 'none'],
    ];
  });
  return Object.fromEntries(entries);
}

const LOGIN_MODULES: Readonly<Record<string, string>> = {
  PLAIN: `plain.PlainLoginModule required user_${USER}="${PASSWORD}"`,
  'SCRAM-SHA-256': 'scram.ScramLoginModule required',
  'SCRAM-SHA-512': 'scram.ScramLoginModule required',
  OAUTHBEARER: 'oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker"',
};

function loginProperties(listener: Listener, mechanisms: readonly string[]): Record<string, string> {
  const prefix = `listener.name.${listener.toLowerCase()}`;
  const modules = mechanisms.map((mechanism) => [
    `${prefix}.${mechanism.toLowerCase()}.sasl.jaas.config`,
    `org.apache.kafka.common.security.${LOGIN_MODULES[mechanism]};`,
  ]);
  return { [`${prefix}.sasl.enabled.mechanisms`]: mechanisms.join(','), ...Object.fromEntries(modules) };
}
