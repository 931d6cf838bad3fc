/** The part of the schema that says how connections to Kafka are protected: `kafka.tls` and `kafka.sasl`. */
import { z } from 'zod';
import { choice, command, flag, secret, text } from './setting.ts';

/** `http://` or `https://` without a fragment. A password in it is refused elsewhere, without being shown. */
const TOKEN_URL = /^(https?:\/\/[^\s/?#]+(\/[^\s?#]*)?(\?[^\s#]*)?)?$/;

/** RFC 6749, section 3.3: printable ASCII without quote and backslash, separated by spaces. */
const SCOPE = /^[\x20\x21\x23-\x5B\x5D-\x7E]{0,1024}$/;

const OPTIONAL_PATH = { default: '', pattern: /^[^\0]*$/, accepts: 'the path of a PEM file, or "" for none' };

const OPTIONAL_NAME = {
  default: '',
  pattern: /^[^\p{Cc}]{0,255}$/u,
  accepts: 'a name of up to 255 characters, or "" for none',
};

export const tls = z.strictObject({
  enabled: flag(
    false,
    'Whether connections to the brokers are encrypted. Certificates are then always verified: there is no switch to turn that off.',
  ),
  ca_file: text(
    OPTIONAL_PATH,
    'Certificates of the authorities that sign those of the brokers, for an authority of your own. It replaces the list that comes with Node.js.',
  ),
  certificate_file: text(
    OPTIONAL_PATH,
    'Certificate of this client, followed by the certificates between it and the authority, for brokers that ask for one.',
  ),
  key_file: text(OPTIONAL_PATH, 'Private key that belongs to certificate_file.'),
  key_passphrase: secret('Passphrase of an encrypted key_file.'),
  server_name: text(
    {
      default: '',
      pattern: /^[A-Za-z0-9._-]{0,253}$/,
      accepts: 'a host name, or "" for that of each broker',
    },
    'The name that the certificate of every broker must carry, where brokers are reached by an address that their certificates do not name.',
  ),
});

export const sasl = z.strictObject({
  mechanism: choice(
    ['none', 'PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'],
    'none',
    'How this client proves who it is. SCRAM does not send the password; PLAIN and OAUTHBEARER should travel over TLS only.',
  ),
  username: text(OPTIONAL_NAME, 'User of PLAIN and SCRAM.'),
  password: secret('Password of PLAIN and SCRAM.'),
  token_command: command(
    'OAUTHBEARER: a program that prints an access token (a JWT, or JSON with access_token and expires_in). Run without a shell, for at most 10 s. Put no secret into its arguments: everybody on the machine can read them.',
  ),
  token_url: text(
    {
      default: '',
      pattern: TOKEN_URL,
      accepts: 'an http or https URL without user and password, or "" for none',
    },
    'OAUTHBEARER: the token endpoint of the identity provider, asked with the client credentials grant of OAuth 2.',
  ),
  client_id: text(OPTIONAL_NAME, 'Client at token_url.'),
  client_secret: secret('Secret of client_id.'),
  scope: text(
    { default: '', pattern: SCOPE, accepts: 'scopes separated by spaces, or "" for none' },
    'Scopes to ask for at token_url.',
  ),
});
