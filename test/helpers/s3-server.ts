/**
 * A real S3 server on this machine: versitygw over a temporary folder, built once by the Go tool chain and kept
 * below node_modules/.cache. Where Go is missing, tests that need it are skipped and say so.
 */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CreateBucketCommand, ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3';
import { freePort } from '../../scripts/kafka/ports.ts';
import type { BackupTarget } from '../../src/core/backup-target.ts';
import { PROJECT_DIRECTORY } from './service.ts';

const VERSION = 'v1.8.0';
const PACKAGE = `github.com/versity/versitygw/cmd/versitygw@${VERSION}`;
const CACHE = join(PROJECT_DIRECTORY, 'node_modules/.cache');
const PROGRAM = join(CACHE, `versitygw-${VERSION}`);
const HOST = '127.0.0.1';

/** Why tests that need the server are skipped; false when they run. */
export const NO_S3: string | false = canBuild()
  ? false
  : 'the S3 server of the tests has to be built, and Go (https://go.dev) is not installed';

/** For `test(..., { skip: NO_S3, timeout })`: the first test that starts a server may have to build it. */
export const S3_TEST = { skip: NO_S3, timeout: 900_000 };

export class S3Server {
  readonly endpoint: string;
  /** Where the server keeps the bucket's objects, as plain files. */
  readonly folder: string;
  readonly #child: ChildProcess;
  readonly #root: string;

  private constructor(child: ChildProcess, root: string, endpoint: string) {
    this.#child = child;
    this.#root = root;
    this.endpoint = endpoint;
    this.folder = join(root, 'objects', 'backup');
  }

  /** With an empty bucket `backup`. */
  static async start(): Promise<S3Server> {
    const program = await built();
    const root = mkdtempSync(join(tmpdir(), 's3-'));
    for (const name of ['objects', 'metadata']) mkdirSync(join(root, name));
    const port = await freePort(HOST);
    const child = spawn(
      program,
      [
        '--port',
        `${HOST}:${port}`,
        '--quiet',
        'posix',
        '--sidecar',
        join(root, 'metadata'),
        join(root, 'objects'),
      ],
      {
        env: { ROOT_ACCESS_KEY: CREDENTIALS.accessKeyId, ROOT_SECRET_KEY: CREDENTIALS.secretAccessKey },
        stdio: 'ignore',
      },
    );
    const server = new S3Server(child, root, `http://${HOST}:${port}`);
    await server.#makeBucket();
    return server;
  }

  /** How a backup reaches it. */
  target(changes: Partial<BackupTarget> = {}): BackupTarget {
    return {
      bucket: 'backup',
      prefix: 'some/logs',
      endpoint: this.endpoint,
      region: 'us-east-1',
      pathStyle: true,
      credentials: CREDENTIALS,
      encryption: null,
      storageClass: null,
      partBytes: 5 * 1024 * 1024,
      concurrency: 2,
      requestTimeoutMs: 10_000,
      ...changes,
    };
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.kill()) await once(this.#child, 'exit');
    rmSync(this.#root, { recursive: true, force: true });
  }

  /** Keys of uploads in parts that nobody has ended. */
  async openUploads(prefix: string): Promise<string[]> {
    const client = this.#client();
    const { Uploads: uploads = [] } = await client.send(
      new ListMultipartUploadsCommand({ Bucket: 'backup', Prefix: prefix }),
    );
    client.destroy();
    return uploads.map(({ Key: key }) => key ?? '');
  }

  #client(): S3Client {
    const { accessKeyId, secretAccessKey } = CREDENTIALS;
    return new S3Client({
      endpoint: this.endpoint,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: { accessKeyId, secretAccessKey },
    });
  }

  async #makeBucket(): Promise<void> {
    const client = this.#client();
    for (let attempt = 1; ; attempt += 1) {
      try {
        await client.send(new CreateBucketCommand({ Bucket: 'backup' }));
        break;
      } catch (error) {
        if (attempt === 200 || this.#child.exitCode !== null) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
    client.destroy();
  }
}

const CREDENTIALS = { accessKeyId: 'test-access', secretAccessKey: 'test-secret', sessionToken: null };

/** The variables that configure a backup to a target. */
export function variablesOf(target: BackupTarget): Record<string, string> {
  const prefix = 'LOG_CONSUMER_BACKUP_';
  return {
    [`${prefix}BUCKET`]: target.bucket,
    [`${prefix}PREFIX`]: target.prefix,
    [`${prefix}ENDPOINT`]: target.endpoint ?? '',
    [`${prefix}ACCESS_KEY_ID`]: target.credentials?.accessKeyId ?? '',
    [`${prefix}SECRET_ACCESS_KEY`]: target.credentials?.secretAccessKey ?? '',
    [`${prefix}PART_SIZE`]: String(target.partBytes),
  };
}

function canBuild(): boolean {
  return existsSync(PROGRAM) || spawnSync('go', ['version'], { stdio: 'ignore' }).status === 0;
}

/** Several test files may build at the same time; the first that is done wins. */
async function built(): Promise<string> {
  if (existsSync(PROGRAM)) return PROGRAM;
  mkdirSync(CACHE, { recursive: true });
  const folder = mkdtempSync(join(CACHE, 'build-'));
  await promisify(execFile)('go', ['install', PACKAGE], { env: { ...process.env, GOBIN: folder } });
  renameSync(join(folder, 'versitygw'), PROGRAM);
  rmSync(folder, { recursive: true });
  return PROGRAM;
}
