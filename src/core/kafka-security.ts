/** How connections to Kafka are protected and who we are to the broker, as configured. */

/** Paths are as configured: relative ones start at the working directory. */
export interface TlsOptions {
  /** Certificates of the authorities that sign the brokers'; null for those that come with Node. */
  readonly caFile: string | null;
  /** Our own certificate and its key, for brokers that ask for one. */
  readonly client: ClientCertificate | null;
  /** The name that every broker's certificate must carry; null for the host that was connected to. */
  readonly serverName: string | null;
}

export interface ClientCertificate {
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly passphrase: string | null;
}

type PasswordMechanism = 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512';

export type SaslOptions =
  | { readonly mechanism: PasswordMechanism; readonly username: string; readonly password: string }
  | { readonly mechanism: 'OAUTHBEARER'; readonly token: TokenOrigin };

/** Where an access token comes from. */
export type TokenOrigin =
  | { readonly kind: 'command'; readonly command: readonly string[] }
  | {
      readonly kind: 'url';
      readonly url: string;
      readonly clientId: string;
      readonly clientSecret: string;
      readonly scope: string | null;
    };

/** Both null for a connection in the clear without a login. */
export interface KafkaSecurity {
  readonly tls: TlsOptions | null;
  readonly sasl: SaslOptions | null;
}

/** Whether a host is this machine, where nobody listens on the way. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/i.test(host);
}
