import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { Health } from '../../src/telemetry/health.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { startOpsServer } from '../../src/telemetry/ops-server.ts';

const HOST = '127.0.0.1';

async function serve(context: TestContext) {
  const health = new Health();
  const { registry } = createMetrics({ version: '0', instance: '' });
  const server = await startOpsServer({ host: HOST, port: 0, registry, health });
  context.after(() => server.close());
  return { health, registry, server, url: `http://${HOST}:${server.port}` };
}

/** Sends bytes as they are and returns everything that comes back until the server closes. */
function raw(port: number, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, HOST, () => socket.write(request));
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk.toString();
    });
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
  });
}

test('metrics in the text format of Prometheus', async (context) => {
  const { url } = await serve(context);
  const response = await fetch(`${url}/metrics?name=x`);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  assert.match(await response.text(), /^# TYPE logs_processed_total counter\nlogs_processed_total 0$/m);
});

test('readiness and liveness with reasons', async (context) => {
  const { health, url } = await serve(context);
  const get = async (path: string) => {
    const response = await fetch(`${url}${path}`);
    return [response.status, await response.json()];
  };
  const reasons = ['consumer: has not joined the consumer group yet'];
  assert.deepEqual(await get('/health/ready'), [503, { ready: false, reasons, degraded: [] }]);
  assert.deepEqual(await get('/health/live'), [200, { live: true, reasons: [] }]);
  health.set('consumer', { kind: 'ready' });
  assert.deepEqual(await get('/health/ready'), [200, { ready: true, reasons: [], degraded: [] }]);
  health.set('process', { kind: 'failed', reason: 'fsync failed' });
  assert.deepEqual(await get('/health/live'), [503, { live: false, reasons: ['process: fsync failed'] }]);
});

test('other paths and methods', async (context) => {
  const { url } = await serve(context);
  for (const path of ['/', '/metrics/', '/health', '/../metrics/x', '/%zz']) {
    assert.equal((await fetch(`${url}${path}`)).status, 404, path);
  }
  const post = await fetch(`${url}/metrics`, { method: 'POST', body: 'x'.repeat(100_000) });
  assert.deepEqual(
    [post.status, post.headers.get('allow'), post.headers.get('connection')],
    [405, 'GET, HEAD', 'close'],
  );
  const head = await fetch(`${url}/metrics`, { method: 'HEAD' });
  assert.deepEqual([head.status, await head.text()], [200, '']);
});

test('requests that are not for us end at once', async (context) => {
  const { server } = await serve(context);
  assert.match(await raw(server.port, 'nonsense\r\n\r\n'), /^HTTP\/1\.1 400 /);
  const large = `GET /metrics HTTP/1.1\r\nHost: x\r\nX-Large: ${'x'.repeat(10_000)}\r\n\r\n`;
  assert.match(await raw(server.port, large), /^HTTP\/1\.1 431 /);
});

test('a metric that fails is an answer, not a crash', async (context) => {
  const { registry, url } = await serve(context);
  context.mock.method(registry, 'metrics', () => Promise.reject(new Error('no numbers')));
  const response = await fetch(`${url}/metrics`);
  assert.deepEqual([response.status, await response.json()], [500, { error: 'no numbers' }]);
});

test('an address that cannot be taken', async (context) => {
  const { health, registry, server } = await serve(context);
  const options = { health, registry, host: HOST };
  await assert.rejects(startOpsServer({ ...options, port: server.port }), {
    code: 'PORT_UNUSABLE',
    message: `Port ${server.port} on ${HOST} is in use: stop the other process or set another ops.port (OPS_PORT).`,
  });
  await assert.rejects(startOpsServer({ ...options, host: '192.0.2.1', port: 0 }), {
    code: 'PORT_UNUSABLE',
    message: 'This machine has no address 192.0.2.1: set another ops.host (LOG_CONSUMER_OPS_HOST).',
  });
});

test('closing ends open connections and frees the port', async () => {
  const health = new Health();
  const { registry } = createMetrics({ version: '0', instance: '' });
  const first = await startOpsServer({ host: HOST, port: 0, registry, health });
  const silent = raw(first.port, 'GET /metr');
  await fetch(`http://${HOST}:${first.port}/health/live`);
  await first.close();
  assert.equal(await silent, '');
  const second = await startOpsServer({ host: HOST, port: first.port, registry, health });
  await second.close();
});
