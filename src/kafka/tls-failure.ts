/** What the codes of Node and OpenSSL mean for whoever configures TLS to a broker. */
import kafkajs from 'kafkajs';
import { ServiceError } from '../core/errors.ts';
import type { TlsOptions } from '../core/kafka-security.ts';

const UNKNOWN_ISSUER = new Set([
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** A `TLS_FAILED` when the cause has a code of TLS, else undefined. */
export function tlsFailure(cause: unknown, where: string, tls: TlsOptions): ServiceError | undefined {
  if (!(cause instanceof kafkajs.KafkaJSConnectionError)) return undefined;
  const { code, message } = cause as typeof cause & { readonly code?: string };
  if (code === undefined) return undefined;
  const what = meaningOf(code, message.replace(/^Connection error: /, ''), tls);
  if (what === undefined) return undefined;
  return new ServiceError('TLS_FAILED', `Kafka at ${where} ${what}.`, { brokers: where, code }, cause);
}

function meaningOf(code: string, message: string, tls: TlsOptions): string | undefined {
  if (UNKNOWN_ISSUER.has(code)) {
    return `has a certificate of an authority that is not trusted (${code}): ${authorityAdvice(tls)}`;
  }
  if (code === 'CERT_HAS_EXPIRED') return 'has a certificate that has expired: renew it on the broker';
  if (code === 'CERT_NOT_YET_VALID') return 'has a certificate that is not valid yet: compare the clocks';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return `has a certificate for another name (${withoutEnd(message)}): use that name in kafka.brokers, or set kafka.tls.server_name`;
  }
  // OpenSSL spells out the alert in the code: ..._ALERT_BAD_CERTIFICATE, ..._ALERT_CERTIFICATE_REQUIRED.
  if (/ALERT.*CERTIFICATE|ALERT_UNKNOWN_CA/.test(code)) return clientCertificateAdvice(code, tls);
  return /^(ERR_SSL_|ERR_TLS_|CERT_|EPROTO)/.test(code)
    ? `and this client do not agree on TLS (${code}): see the broker's log`
    : undefined;
}

function authorityAdvice({ caFile }: TlsOptions): string {
  return caFile === null
    ? 'name the file with its certificate in kafka.tls.ca_file'
    : `${caFile} of kafka.tls.ca_file does not hold the one that signed it`;
}

function clientCertificateAdvice(code: string, { client }: TlsOptions): string {
  return client === null
    ? `asks for a certificate of this client (${code}): set kafka.tls.certificate_file and kafka.tls.key_file`
    : `does not accept the certificate ${client.certificateFile} of this client (${code}): is it from an authority that the broker trusts, and not expired?`;
}

/** Node ends this sentence with a list, which may be empty. */
function withoutEnd(sentence: string): string {
  return sentence.replace(/[.: ]+$/, '');
}
