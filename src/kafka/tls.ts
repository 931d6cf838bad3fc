/** Reads certificates and keys, and makes of them what a TLS connection needs. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type ConnectionOptions, createSecureContext, type SecureContextOptions } from 'node:tls';
import { messageOf, ServiceError } from '../core/errors.ts';
import type { ClientCertificate, TlsOptions } from '../core/kafka-security.ts';

/**
 * Certificates are verified whatever the environment says.
 * @throws ServiceError CONFIG_INVALID that names the setting and the file that cannot be used
 */
export function connectionOptions({ caFile, client, serverName }: TlsOptions): ConnectionOptions {
  const secureContext = createSecureContext({
    ...(caFile === null ? {} : { ca: readCertificates('kafka.tls.ca_file', caFile) }),
    ...(client === null ? {} : readClient(client)),
  });
  return {
    secureContext,
    rejectUnauthorized: true,
    ...(serverName === null ? {} : { servername: serverName }),
  };
}

/** Node ignores a text without a certificate in it, and would then trust nobody. */
function readCertificates(key: string, file: string): string {
  const pem = read(key, file);
  certificateIn(key, file, pem);
  return pem;
}

function readClient({ certificateFile, keyFile, passphrase }: ClientCertificate): SecureContextOptions {
  const cert = read('kafka.tls.certificate_file', certificateFile);
  const certificate = certificateIn('kafka.tls.certificate_file', certificateFile, cert);
  const key = read('kafka.tls.key_file', keyFile);
  if (!certificate.checkPrivateKey(privateKeyIn(keyFile, key, passphrase))) {
    throw unusable('kafka.tls.key_file', keyFile, `is not the key of ${certificateFile}`);
  }
  return { cert, key, ...(passphrase === null ? {} : { passphrase }) };
}

function read(key: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw unusable(key, file, `cannot be read: ${messageOf(error)}`);
  }
}

function certificateIn(key: string, file: string, pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw unusable(key, file, `does not begin with a certificate in PEM form (${messageOf(error)})`);
  }
}

function privateKeyIn(file: string, pem: string, passphrase: string | null): KeyObject {
  try {
    return createPrivateKey(passphrase === null ? pem : { key: pem, passphrase });
  } catch (error) {
    const hint = passphrase === null ? 'it may need kafka.tls.key_passphrase' : 'the passphrase may be wrong';
    throw unusable(
      'kafka.tls.key_file',
      file,
      `is not a key that can be read; ${hint} (${messageOf(error)})`,
    );
  }
}

function unusable(key: string, file: string, reason: string): ServiceError {
  return new ServiceError('CONFIG_INVALID', `The configuration is not valid: ${key} ${file} ${reason}.`, {
    key,
    file,
  });
}
