/** Ways to connect that work, and ways that do not with what is said of them. */
import { PASSPHRASE, PASSWORD, USER } from './secure-broker.ts';
import { CLIENT_SECRET, type SecureScene, type Variables, type Way } from './secure-scene.ts';
import { unsignedToken } from './token-server.ts';

export const WRONG_PASSWORD = 'not-the-Passw0rd#5';
const GOOD_TOKEN = unsignedToken(USER, 3600);
const EXPIRED_TOKEN = unsignedToken(USER, -600);

/** Everything that must never be printed. */
export const SECRETS = [PASSWORD, WRONG_PASSWORD, PASSPHRASE, CLIENT_SECRET, GOOD_TOKEN, EXPIRED_TOKEN];

export interface Failure extends Way {
  readonly says: RegExp;
}

export function goodWays(scene: SecureScene): Way[] {
  const clientCertificate = {
    TLS_CERTIFICATE_FILE: scene.broker.client.certificate,
    TLS_KEY_FILE: scene.broker.encryptedKey,
    TLS_KEY_PASSPHRASE: PASSPHRASE,
  };
  return [
    { name: 'own authority', listener: 'TLS', variables: scene.tls() },
    { name: 'client certificate', listener: 'MUTUAL', variables: scene.tls(clientCertificate) },
    {
      name: 'server name',
      listener: 'NAMED',
      variables: scene.tls({ TLS_SERVER_NAME: 'kafka.example.com' }),
    },
    { name: 'PLAIN', listener: 'SECURE', variables: scene.tls(scene.login('PLAIN')) },
    { name: 'SCRAM-SHA-256', listener: 'SECURE', variables: scene.tls(scene.login('SCRAM-SHA-256')) },
    { name: 'SCRAM-SHA-512', listener: 'SECURE', variables: scene.tls(scene.login('SCRAM-SHA-512')) },
    { name: 'token by command', listener: 'SECURE', variables: scene.tls(scene.tokenCommand(GOOD_TOKEN)) },
    { name: 'token by URL', listener: 'SECURE', variables: scene.tls(scene.tokenUrl()) },
  ];
}

export function tlsFailures(scene: SecureScene): Failure[] {
  const { stranger } = scene.broker;
  return [
    {
      name: 'no authority',
      listener: 'TLS',
      variables: { TLS_ENABLED: 'true' },
      says: /authority that is not trusted .*name the file with its certificate in kafka\.tls\.ca_file/,
    },
    {
      name: 'another authority',
      listener: 'TLS',
      variables: { TLS_ENABLED: 'true', TLS_CA_FILE: stranger.certificate },
      says: /authority that is not trusted .*kafka\.tls\.ca_file does not hold the one that signed it/,
    },
    {
      name: 'name',
      listener: 'NAMED',
      variables: scene.tls(),
      says: /for another name .*kafka\.tls\.server_name/,
    },
    { name: 'expired', listener: 'EXPIRED', variables: scene.tls(), says: /certificate that has expired/ },
    {
      name: 'no certificate',
      listener: 'MUTUAL',
      variables: scene.tls(),
      says: /asks for a certificate of this client .*kafka\.tls\.certificate_file/,
    },
    { name: 'in the clear', listener: 'TLS', variables: {}, says: /expects TLS on this port/ },
    { name: 'TLS', listener: 'PLAINTEXT', variables: scene.tls(), says: /does not speak TLS on this port/ },
  ];
}

export function loginFailures(scene: SecureScene): Failure[] {
  const wrong = (mechanism: string): Failure => ({
    name: mechanism,
    listener: 'SECURE',
    variables: scene.tls(scene.login(mechanism, WRONG_PASSWORD)),
    says: new RegExp(`refused the login of "${USER}" with ${mechanism} .*check kafka\\.sasl\\.username`),
  });
  return [
    ...['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'].map(wrong),
    { name: 'no login', listener: 'SECURE', variables: scene.tls(), says: /expects a login on this port/ },
    {
      name: 'login',
      listener: 'TLS',
      variables: scene.tls(scene.login('PLAIN')),
      says: /takes no login on this port/,
    },
    {
      name: 'mechanism',
      listener: 'LOGIN',
      variables: scene.login('SCRAM-SHA-512'),
      says: /does not offer SCRAM-SHA-512 on this port/,
    },
  ];
}

export function tokenFailures(scene: SecureScene): Failure[] {
  const command = (argv: readonly string[]): Variables => ({
    SASL_MECHANISM: 'OAUTHBEARER',
    SASL_TOKEN_COMMAND: JSON.stringify(argv),
  });
  const failure = (name: string, variables: Variables, says: RegExp): Failure => ({
    name,
    listener: 'LOGIN',
    variables,
    says,
  });
  const shell = `echo ${GOOD_TOKEN}; echo ${PASSWORD} >&2; exit 3`;
  return [
    failure(
      'expired token',
      scene.tokenCommand(EXPIRED_TOKEN),
      /Kafka refused the access token \(.*invalid_token/,
    ),
    failure('failing command', command(['sh', '-c', shell]), /command sh .*failed with exit code 3/),
    failure(
      'missing command',
      command(['/nowhere/get']),
      /command \/nowhere\/get .*cannot be started \(ENOENT\)/,
    ),
    failure(
      'chatty command',
      command(['echo', PASSWORD, 'x']),
      /printed something else than an access token/,
    ),
    failure(
      'unreachable URL',
      scene.tokenUrl('http://127.0.0.1:9/token'),
      /127\.0\.0\.1:9\/token cannot be reached/,
    ),
    failure(
      'refused client',
      scene.tokenUrl(scene.tokens.url, WRONG_PASSWORD),
      /refused client "log reader" \(invalid_client\)/,
    ),
  ];
}
