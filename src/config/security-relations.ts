/**
 * What must hold between the settings of `kafka.tls` and `kafka.sasl`. A setting that would have no effect
 * is an error here: somebody who names an authority believes that the connection is encrypted.
 */
import { isLoopback } from '../core/kafka-security.ts';
import type { Settings } from './schema.ts';
import { Section } from './section.ts';
import type { Path } from './tree.ts';

type Kafka = Settings['kafka'];

const TLS_FILES = ['ca_file', 'certificate_file', 'key_file', 'key_passphrase', 'server_name'];
const LOGIN = ['username', 'password'];
const CLIENT = ['client_id', 'client_secret', 'scope'];
const TOKEN = ['token_command', 'token_url', ...CLIENT];

/**
 * Sentences without a full stop, for a configuration that cannot mean what somebody wanted. The values of
 * `brokenKeys` are not the ones that somebody wrote.
 */
export function securityProblems(
  { tls, sasl }: Kafka,
  brokenKeys: ReadonlySet<string>,
  originOf: (path: Path) => string,
): string[] {
  return [
    ...tlsProblems(tls, new Section(tls, 'kafka.tls', brokenKeys, originOf)),
    ...saslProblems(sasl, new Section(sasl, 'kafka.sasl', brokenKeys, originOf)),
  ];
}

function tlsProblems(tls: Kafka['tls'], section: Section): string[] {
  if (!section.isKnown('enabled')) return [];
  if (!tls.enabled) return section.needless(TLS_FILES, 'kafka.tls.enabled is false');
  if (section.isSet('certificate_file')) {
    return section.missing(['key_file'], 'kafka.tls.certificate_file is of no use without its key');
  }
  return section.needless(['key_file', 'key_passphrase'], 'kafka.tls.certificate_file is not');
}

function saslProblems({ mechanism, token_url: url }: Kafka['sasl'], section: Section): string[] {
  if (!section.isKnown('mechanism')) return [];
  if (/^https?:\/\/[^/?#]*@/.test(url)) {
    return ['kafka.sasl.token_url holds a user or a password; use client_id and client_secret instead'];
  }
  const noEffect = `has no effect with the mechanism ${mechanism}`;
  switch (mechanism) {
    case 'none':
      return section.needless([...LOGIN, ...TOKEN], 'kafka.sasl.mechanism is none');
    case 'OAUTHBEARER':
      return [...section.needless(LOGIN, noEffect), ...tokenProblems(section)];
    case 'PLAIN':
    case 'SCRAM-SHA-256':
    case 'SCRAM-SHA-512':
      return [...section.missing(LOGIN, `${mechanism} needs it`), ...section.needless(TOKEN, noEffect)];
  }
}

function tokenProblems(section: Section): string[] {
  if (section.isSet('token_command')) {
    return section.needless(['token_url', ...CLIENT], 'the token comes from kafka.sasl.token_command');
  }
  if (section.isSet('token_url')) {
    return section.missing(['client_id', 'client_secret'], 'kafka.sasl.token_url needs it');
  }
  return section.missing(['token_command'], 'OAUTHBEARER needs it or kafka.sasl.token_url');
}

/** Node.js has a variable that turns verification off for a whole process: nobody may do that by accident. */
export function verificationProblems(
  { tls, sasl }: Kafka,
  env: Readonly<Record<string, string | undefined>>,
): string[] {
  const isEncrypted = tls.enabled || sasl.token_url.startsWith('https:');
  if (env['NODE_TLS_REJECT_UNAUTHORIZED'] !== '0' || !isEncrypted) return [];
  return [
    'environment variable NODE_TLS_REJECT_UNAUTHORIZED is 0, which turns the verification of certificates off; remove it, and name your authority in kafka.tls.ca_file',
  ];
}

/** Full sentences about secrets that others can read on the way. */
export function securityWarnings({ brokers, tls, sasl }: Kafka): string[] {
  const warnings: string[] = [];
  const isExposed = !tls.enabled && brokers.some((broker) => !isLoopback(broker.replace(/:\d+$/, '')));
  const risk = CLEAR_TEXT_RISKS[sasl.mechanism];
  if (isExposed && risk !== null) {
    warnings.push(`kafka.sasl.mechanism is ${sasl.mechanism} without kafka.tls.enabled: ${risk}.`);
  }
  if (sasl.token_url.startsWith('http:') && !isLoopback(new URL(sasl.token_url).hostname)) {
    warnings.push('kafka.sasl.token_url is http: the client secret and the token travel in the clear.');
  }
  return warnings;
}

const CLEAR_TEXT_RISKS: Readonly<Record<Kafka['sasl']['mechanism'], string | null>> = {
  none: null,
  PLAIN: 'the password travels in the clear',
  OAUTHBEARER: 'the token travels in the clear',
  'SCRAM-SHA-256': 'whoever listens can try passwords against what was sent',
  'SCRAM-SHA-512': 'whoever listens can try passwords against what was sent',
};
