import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { ServiceError } from '../../src/core/errors.ts';
import { createLogger, type LoggerOptions } from '../../src/telemetry/logger.ts';

type Line = Record<string, unknown>;

function capture(options: Partial<LoggerOptions> = {}) {
  const lines: Line[] = [];
  const stream = { write: (text: string) => void lines.push(JSON.parse(text) as Line) };
  return { lines, logger: createLogger({ level: 'info', instance: null, stream, ...options }) };
}

test('a line has the fields of the records that we store', () => {
  const { lines, logger } = capture({ instance: 'a' });
  logger.warn({ bytes: 3 }, 'file closed');
  const [{ timestamp, ...line } = {}] = lines;
  assert.match(String(timestamp), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.equal(line['level'], 'WARN');
  assert.deepEqual(line, {
    level: 'WARN',
    service: 'log-consumer',
    instance: 'a',
    bytes: 3,
    message: 'file closed',
  });
});

test('lines below the level are left out', () => {
  const { lines, logger } = capture({ level: 'error' });
  logger.warn('no');
  logger.error('yes');
  assert.deepEqual(
    lines.map(({ message }) => message),
    ['yes'],
  );
});

test('an operational error is its code, sentence, details and cause, in short; a bug keeps its stack', () => {
  const { lines, logger } = capture();
  const cause = new TypeError('inner');
  logger.error({ error: new ServiceError('KAFKA_FAILED', 'The broker is busy.', { node: 0 }, cause) }, 'a');
  logger.error({ error: cause }, 'b');
  logger.error({ error: 'thrown text' }, 'c');
  const errors = lines.map(({ error }) => error) as Line[];
  assert.partialDeepStrictEqual(errors[0], {
    code: 'KAFKA_FAILED',
    message: 'The broker is busy.',
    details: { node: 0 },
    retryable: true,
    cause: 'inner',
  });
  assert.match(String(errors[1]?.['stack']), /TypeError: inner\n/);
  assert.equal(errors[2], 'thrown text');
});

test('secrets in the options of libraries are replaced', () => {
  const { lines, logger } = capture();
  logger.info(
    { password: 'hunter2', client: { sasl: { username: 'u', password: 'hunter2' }, token: 'hunter2' } },
    'x',
  );
  assert.ok(!JSON.stringify(lines).includes('hunter2'));
});

test('lines go to standard error before the call returns, so that a killed process leaves its last words', () => {
  const url = new URL('../../src/telemetry/logger.ts', import.meta.url).href;
  const script = `import { createLogger } from '${url}';
    createLogger({ level: 'info', instance: null }).info('last words'); process.kill(process.pid, 'SIGKILL');`;
  const { signal, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
  });
  assert.deepEqual([signal, stdout], ['SIGKILL', '']);
  assert.match(stderr, /"message":"last words"/);
});
