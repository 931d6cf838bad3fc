/** Certificates for tests, made with the openssl command when a test runs. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Certificate {
  /** PEM files: the certificate, its key, and key and certificate in one. */
  readonly certificate: string;
  readonly key: string;
  readonly both: string;
}

/** Whether this machine can make certificates. */
export function hasOpenssl(): boolean {
  try {
    openssl(['version']);
    return true;
  } catch {
    return false;
  }
}

/** An authority that signs itself; its files and those of what it signs are in `directory`. */
export class Authority {
  readonly directory: string;
  readonly #name: string;

  constructor(directory: string, name: string) {
    this.directory = directory;
    this.#name = name;
    const subject = ['-subj', `/CN=${name}`, '-addext', 'basicConstraints=critical,CA:TRUE'];
    openssl([...NEW_KEY, '-x509', '-keyout', this.#path('key'), '-out', this.certificate, ...subject]);
  }

  get certificate(): string {
    return this.#path('pem');
  }

  /**
   * @param names as in a subject alternative name: `DNS:localhost,IP:127.0.0.1`
   * @param until the first day on which it is no longer valid, as `YYYYMMDD`; the year 2040 when left out
   */
  sign(name: string, names: string, until = '20400101'): Certificate {
    const file = (ending: string): string => join(this.directory, `${name}.${ending}`);
    const [key, request, certificate, both] = ['key', 'csr', 'pem', 'both.pem'].map(file) as Four;
    openssl([...NEW_KEY, '-keyout', key, '-out', request, '-subj', `/CN=${name}`]);
    const database = this.#database(names);
    const period = ['-startdate', '20200101000000Z', '-enddate', `${until}000000Z`];
    const authority = ['-cert', this.certificate, '-keyfile', this.#path('key')];
    const output = ['-in', request, '-out', certificate, '-notext'];
    openssl(['ca', '-batch', '-config', database, ...authority, ...period, ...output]);
    writeFileSync(both, readFileSync(key, 'utf8') + readFileSync(certificate, 'utf8'));
    return { certificate, key, both };
  }

  /** What `openssl ca` wants to know and to remember. */
  #database(names: string): string {
    const index = this.#path('index');
    writeFileSync(index, '');
    const file = this.#path('conf');
    const lines = [
      '[ca]',
      'default_ca = this',
      '[this]',
      `database = ${index}`,
      `new_certs_dir = ${this.directory}`,
      'rand_serial = yes',
      'default_md = sha256',
      'policy = any',
      'x509_extensions = names',
      '[any]',
      'commonName = supplied',
      '[names]',
      `subjectAltName = ${names}`,
    ];
    writeFileSync(file, `${lines.join('\n')}\n`);
    return file;
  }

  #path(ending: string): string {
    return join(this.directory, `${this.#name}.${ending}`);
  }
}

type Four = [string, string, string, string];

const NEW_KEY = ['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** A copy of a key that only `passphrase` opens. */
export function encryptKey(key: string, passphrase: string): string {
  const encrypted = `${key}.encrypted`;
  openssl(['pkcs8', '-topk8', '-in', key, '-out', encrypted, '-passout', `pass:${passphrase}`]);
  return encrypted;
}

function openssl(args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: 'pipe' });
}
