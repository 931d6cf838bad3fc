import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ServiceError } from '../../src/core/errors.ts';
import type { ClientCertificate, TlsOptions } from '../../src/core/kafka-security.ts';
import { connectionOptions } from '../../src/kafka/tls.ts';
import { Authority, encryptKey, hasOpenssl } from '../helpers/certificates.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

const skip = hasOpenssl() ? false : 'the openssl command is not installed';
const PLAIN: TlsOptions = { caFile: null, client: null, serverName: null };
const PASSPHRASE = 'hunter2';

test('certificates are always verified', () => {
  assert.equal(connectionOptions(PLAIN).rejectUnauthorized, true);
  assert.equal(connectionOptions({ ...PLAIN, serverName: 'kafka' }).servername, 'kafka');
});

test('files that cannot be used are named', { skip }, (context) => {
  const directory = temporaryDirectory(context, 'tls');
  const authority = new Authority(directory, 'authority');
  const [one, other] = ['one', 'other'].map((name) => authority.sign(name, `DNS:${name}`));
  assert.ok(one !== undefined && other !== undefined);
  const garbage = join(directory, 'garbage.pem');
  writeFileSync(garbage, 'no certificate');
  const client = (part: Partial<ClientCertificate>): TlsOptions => ({
    ...PLAIN,
    client: { certificateFile: one.certificate, keyFile: one.key, passphrase: null, ...part },
  });
  const encrypted = encryptKey(one.key, PASSPHRASE);
  connectionOptions({ ...PLAIN, caFile: authority.certificate });
  connectionOptions(client({}));
  connectionOptions(client({ keyFile: encrypted, passphrase: PASSPHRASE }));
  const refused: readonly (readonly [TlsOptions, RegExp])[] = [
    [
      { ...PLAIN, caFile: '/nowhere/ca.pem' },
      /kafka\.tls\.ca_file \/nowhere\/ca\.pem cannot be read: ENOENT/,
    ],
    [{ ...PLAIN, caFile: garbage }, /kafka\.tls\.ca_file .*garbage\.pem does not begin with a certificate/],
    [
      client({ certificateFile: garbage }),
      /certificate_file .*garbage\.pem does not begin with a certificate/,
    ],
    [
      client({ keyFile: garbage }),
      /key_file .*garbage\.pem is not a key .*may need kafka\.tls\.key_passphrase/,
    ],
    [client({ keyFile: other.key }), /key_file .*other\.key is not the key of .*one\.pem/],
    [client({ keyFile: encrypted }), /may need kafka\.tls\.key_passphrase/],
    [client({ keyFile: encrypted, passphrase: `${PASSPHRASE}!` }), /the passphrase may be wrong/],
  ];
  for (const [options, says] of refused) {
    assert.throws(
      () => connectionOptions(options),
      (error) => {
        assert.ok(error instanceof ServiceError && error.exitCode === 78);
        assert.match(error.message, says);
        assert.doesNotMatch(error.message, new RegExp(PASSPHRASE));
        return true;
      },
    );
  }
});
