/** The client against a real server: what is stored, what is told, and how failures are explained. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { BackupTarget } from '../../../src/core/backup-target.ts';
import { ServiceError } from '../../../src/core/errors.ts';
import { compare, fileContent, textContent } from '../../../src/upkeep/backup/object-digest.ts';
import type { ListedObject } from '../../../src/upkeep/backup/object-store.ts';
import { S3Store } from '../../../src/upkeep/backup/s3-store.ts';
import { NO_S3, S3_TEST, S3Server } from '../../helpers/s3-server.ts';
import { temporaryDirectory } from '../../helpers/temporary-directory.ts';

const MIB = 1024 * 1024;
const NEVER = new AbortController().signal;

let server: S3Server;
before(async () => {
  if (NO_S3 === false) server = await S3Server.start();
});
after(() => server?.stop());

function open(changes: Partial<BackupTarget> = {}): S3Store {
  return new S3Store(server.target(changes), { maxAttempts: 1 });
}

async function buffer(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function listed(store: S3Store, prefix: string): Promise<ListedObject[]> {
  const objects: ListedObject[] = [];
  for await (const object of store.list(prefix, NEVER)) objects.push(object);
  return objects;
}

test('an object is stored whole, and its checksum is the one that the store computed', S3_TEST, async () => {
  const store = open();
  const content = textContent('{"a":1}\n');
  await store.put('one', content, true, NEVER);
  const head = await store.head('one', NEVER);
  assert.deepEqual(head, {
    bytes: 8,
    checksum: content.digest.checksum,
    metadata: { sha256: content.digest.sha256 },
  });
  assert.equal(compare(head, content.digest), 'same');
  const body = await store.read('one', NEVER);
  assert.equal(body && (await buffer(body)).toString(), '{"a":1}\n');
  assert.equal(await store.head('two', NEVER), undefined);
  assert.equal(await store.read('two', NEVER), undefined);
  await store.remove('one', NEVER);
  await store.remove('one', NEVER);
  assert.equal(await store.head('one', NEVER), undefined);
});

test('a large file travels in parts, each with its checksum', S3_TEST, async (context) => {
  const store = open();
  const path = join(temporaryDirectory(context), 'large');
  for (const bytes of [5 * MIB, 5 * MIB + 1, 10 * MIB, 11 * MIB]) {
    const data = randomBytes(bytes);
    writeFileSync(path, data);
    const content = await fileContent(path, 5 * MIB);
    assert.equal(content.digest.parts.length, Math.ceil(bytes / (5 * MIB)));
    await store.put('large', content, true, NEVER);
    const head = await store.head('large', NEVER);
    assert.equal(head?.checksum, content.digest.checksum);
    assert.ok(head !== undefined && compare(head, content.digest) === 'same');
    const body = await store.read('large', NEVER);
    assert.ok(body !== undefined && data.equals(await buffer(body)));
    assert.equal(compare(head, { ...content.digest, sha256: '00'.repeat(32) }), 'different');
  }
});

test(
  'bytes that changed after their checksum was computed are refused by the store',
  S3_TEST,
  async (context) => {
    const store = open();
    const path = join(temporaryDirectory(context), 'changing');
    for (const bytes of [100, 6 * MIB]) {
      writeFileSync(path, randomBytes(bytes));
      const content = await fileContent(path, 5 * MIB);
      writeFileSync(path, randomBytes(bytes));
      await assert.rejects(store.put('changing', content, true, NEVER), /refuses to store changing/);
      assert.equal(await store.head('changing', NEVER), undefined);
    }
  },
);

test('a listing of more than one page', S3_TEST, async () => {
  const store = open();
  const content = textContent('x');
  const keys = Array.from({ length: 1005 }, (_, index) => `many/${String(index).padStart(4, '0')}`);
  for (let from = 0; from < keys.length; from += 50) {
    await Promise.all(keys.slice(from, from + 50).map((key) => store.put(key, content, false, NEVER)));
  }
  const found = await listed(store, 'many/');
  assert.deepEqual(
    found,
    keys.map((key) => ({ key, bytes: 1 })),
  );
});

const REFUSALS: readonly (readonly [string, Partial<BackupTarget>, RegExp])[] = [
  [
    'an unknown access key',
    { credentials: { accessKeyId: 'other', secretAccessKey: 'test-secret', sessionToken: null } },
    /does not know the access key: check backup\.access_key_id/,
  ],
  [
    'a wrong secret',
    { credentials: { accessKeyId: 'test-access', secretAccessKey: 'wrong', sessionToken: null } },
    /does not accept the signature: check backup\.secret_access_key/,
  ],
  ['a missing bucket', { bucket: 'nothing-here' }, /There is no bucket nothing-here at http:.*create it/],
  ['another region', { region: 'eu-north-1' }, /eu-north-1 as the region of the bucket backup/],
];

for (const [what, changes, message] of REFUSALS) {
  test(`${what} is explained, whatever was asked`, S3_TEST, async () => {
    const store = open(changes);
    const is404 = 'bucket' in changes || changes.credentials?.accessKeyId === 'other';
    const asks = [
      () => store.put('x', textContent('x'), false, NEVER),
      () => store.read('x', NEVER),
      () => listed(store, 'x'),
      // Where the answer is 404, only one with a body tells a bucket or a key pair from an object.
      ...(is404 ? [] : [() => store.head('x', NEVER)]),
    ];
    for (const ask of asks) {
      await assert.rejects(ask, (error) => {
        assert.ok(error instanceof ServiceError);
        assert.deepEqual([error.code, error.retryable], ['STORE_REFUSED', false]);
        assert.match(error.message, message);
        return true;
      });
    }
  });
}

test('a store that does not answer is an outage', async () => {
  const target = { ...BLANK, endpoint: 'http://127.0.0.1:9', requestTimeoutMs: 300 };
  const silent = createServer(() => undefined).listen(0, '127.0.0.1');
  await new Promise((resolve) => silent.once('listening', resolve));
  const { port } = silent.address() as AddressInfo;
  for (const endpoint of [target.endpoint, `http://127.0.0.1:${port}`, 'http://no.such.host.invalid']) {
    const store = new S3Store({ ...target, endpoint }, { maxAttempts: 1 });
    await assert.rejects(store.head('x', NEVER), (error) => {
      assert.ok(error instanceof ServiceError);
      assert.deepEqual([error.code, error.retryable], ['STORE_UNREACHABLE', true], error.message);
      assert.match(error.message, /Could not look at x at http:.*check that the store runs/);
      return true;
    });
    store.close();
  }
  silent.closeAllConnections();
  silent.close();
});

const BLANK: BackupTarget = {
  bucket: 'backup',
  prefix: '',
  endpoint: null,
  region: 'us-east-1',
  pathStyle: true,
  credentials: { accessKeyId: 'a', secretAccessKey: 's', sessionToken: 'token' },
  encryption: null,
  storageClass: null,
  partBytes: 5 * MIB,
  concurrency: 1,
  requestTimeoutMs: 1000,
};

/** What a store that answers every request with the same sees. */
async function answers(
  status: number,
  code: string,
  use: (store: S3Store) => Promise<unknown>,
  changes = {},
) {
  const seen: { method: string; headers: NodeJS.Dict<string | string[]> }[] = [];
  const answering = createServer((request, response) => {
    seen.push({ method: request.method ?? '', headers: request.headers });
    request.resume();
    request.on('end', () => {
      response.writeHead(status, { 'content-type': 'application/xml' });
      response.end(status === 200 ? '' : `<Error><Code>${code}</Code><Message>no</Message></Error>`);
    });
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => answering.once('listening', resolve));
  const { port } = answering.address() as AddressInfo;
  const store = new S3Store(
    { ...BLANK, endpoint: `http://127.0.0.1:${port}`, ...changes },
    { maxAttempts: 1 },
  );
  const error = await use(store).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  store.close();
  answering.closeAllConnections();
  answering.close();
  return { seen, error };
}

const ANSWERS: readonly (readonly [status: number, code: string, retryable: boolean, message: RegExp])[] = [
  [403, 'RequestTimeTooSkewed', false, /The clock of this machine differs too much/],
  [403, 'AccessDenied', false, /denies access to the bucket backup: give the credentials s3:PutObject/],
  [400, 'ExpiredToken', false, /the credentials have ended: renew backup\.session_token/],
  [503, 'SlowDown', true, /Could not store x/],
  [500, 'InternalError', true, /Could not store x/],
  [501, 'NotImplemented', false, /refuses to store x \(NotImplemented: no\): check the section backup/],
];

for (const [status, code, retryable, message] of ANSWERS) {
  test(`the answer ${code} is explained`, async () => {
    const { error } = await answers(status, code, (store) => store.put('x', textContent('x'), false, NEVER));
    assert.ok(error instanceof ServiceError);
    assert.equal(error.retryable, retryable);
    assert.match(error.message, message);
  });
}

test('checksum, encryption and storage class are sent', async () => {
  const encryption = { algorithm: 'aws:kms', keyId: 'key-1' } as const;
  const { seen, error } = await answers(
    200,
    '',
    async (store) => {
      await store.put('x', textContent('x'), true, NEVER);
      await store.put('y', textContent('y'), false, NEVER);
    },
    { encryption, storageClass: 'STANDARD_IA' },
  );
  assert.equal(error, undefined);
  const [archived, state] = seen.map(({ headers }) => headers);
  assert.equal(archived?.['x-amz-checksum-sha256'], textContent('x').digest.checksum);
  assert.equal(archived?.['x-amz-server-side-encryption'], 'aws:kms');
  assert.equal(archived?.['x-amz-server-side-encryption-aws-kms-key-id'], 'key-1');
  assert.equal(archived?.['x-amz-storage-class'], 'STANDARD_IA');
  assert.equal(state?.['x-amz-storage-class'], undefined);
  assert.match(String(archived?.['authorization']), /Credential=a\//);
  assert.equal(archived?.['x-amz-security-token'], 'token');
  const plain = await answers(200, '', (store) => store.put('x', textContent('x'), true, NEVER));
  assert.equal(plain.seen[0]?.headers['x-amz-server-side-encryption'], undefined);
});

test(
  'the parts of a large file are encrypted too, and nothing of a failed upload stays',
  S3_TEST,
  async (context) => {
    const path = join(temporaryDirectory(context), 'large');
    writeFileSync(path, randomBytes(6 * MIB));
    const content = await fileContent(path, 5 * MIB);
    const { seen } = await answers(500, 'InternalError', (store) => store.put('x', content, true, NEVER), {
      encryption: { algorithm: 'AES256', keyId: null },
    });
    assert.ok(seen.length > 0);
    const store = open();
    const stopping = new AbortController();
    const broken = {
      digest: content.digest,
      read: async (start: number, end: number) => {
        if (start > 0) stopping.abort();
        return readFileSync(path).subarray(start, end);
      },
    };
    await assert.rejects(store.put('broken', broken, true, stopping.signal), { name: 'AbortError' });
    await store.put('broken', content, true, NEVER);
    assert.ok((await store.head('broken', NEVER)) !== undefined);
  },
);
