import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { PassThrough, Writable } from 'node:stream';
import { describe, it } from 'node:test';
import { ServiceError } from '../../src/core/errors.ts';
import { type GenerateOptions, type GenerateProgress, runGenerate } from '../../src/generate/generate.ts';
import { createProgressReporter } from '../../src/generate/progress.ts';

const QUIET = (): void => undefined;

function toStream(stream: Writable, options: Partial<GenerateOptions>): GenerateOptions {
  return {
    target: { kind: 'stream', stream },
    rate: 'max',
    count: Number.POSITIVE_INFINITY,
    seed: 1,
    malformedShare: 0,
    signal: new AbortController().signal,
    ...options,
  };
}

/** Takes everything and counts the lines. */
function lineCounter(): { readonly stream: Writable; lines(): number } {
  let lines = 0;
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      for (const byte of chunk) if (byte === 10) lines += 1;
      setImmediate(done);
    },
  });
  return { stream, lines: () => lines };
}

describe('runGenerate to a stream', () => {
  it('writes exactly the count, one record per line, and reports it', async () => {
    const output = lineCounter();
    const reports: GenerateProgress[] = [];
    const result = await runGenerate(
      toStream(output.stream, { count: 4321, malformedShare: 0.1 }),
      (progress) => {
        reports.push(progress);
      },
    );
    assert.equal(output.lines(), 4321);
    assert.equal(result.records, 4321);
    assert.equal(reports.at(-1)?.records, 4321);
    assert.equal(output.stream.listenerCount('error'), 0);
  });

  it('keeps the rate', async () => {
    const output = lineCounter();
    const signal = AbortSignal.timeout(1500);
    const { records, elapsedMs } = await runGenerate(toStream(output.stream, { rate: 4000, signal }), QUIET);
    assert.ok(Math.abs(records / (elapsedMs / 1000) / 4000 - 1) < 0.05, `${records} in ${elapsedMs} ms`);
    assert.equal(output.lines(), records);
  });

  it('waits for a slow reader instead of filling memory', async () => {
    const slow = new PassThrough({ highWaterMark: 1024 });
    const signal = AbortSignal.timeout(300);
    const running = runGenerate(toStream(slow, { signal }), QUIET);
    await new Promise((resolve) => setTimeout(resolve, 200));
    const waitingBytes = slow.writableLength + slow.readableLength;
    slow.resume();
    await running;
    assert.ok(waitingBytes < 2_000_000, `${waitingBytes} bytes were waiting`);
  });

  it('ends quietly when the reader goes away', async () => {
    let writes = 0;
    const gone = new Writable({
      write(_chunk, _encoding, done) {
        writes += 1;
        done(writes > 2 ? Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }) : null);
      },
    });
    const { records } = await runGenerate(toStream(gone, {}), QUIET);
    assert.equal(records, 4000);
  });

  it('reports any other failure of the output', async () => {
    const full = new Writable({
      write(_chunk, _encoding, done) {
        done(Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' }));
      },
    });
    await assert.rejects(runGenerate(toStream(full, {}), QUIET), (error) => {
      assert.ok(error instanceof ServiceError);
      assert.equal(error.code, 'WRITE_FAILED');
      assert.match(error.message, /no space left/);
      return true;
    });
  });
});

describe('runGenerate to Kafka', () => {
  it('says in one sentence that the broker cannot be reached', async () => {
    const port = await closedPort();
    const target = {
      kind: 'kafka',
      tls: null,
      sasl: null,
      brokers: [`127.0.0.1:${port}`],
      topic: 'logs',
      key: 'none',
      createPartitions: null,
    } as const;
    await assert.rejects(runGenerate({ ...toStream(new PassThrough(), {}), target }, QUIET), (error) => {
      assert.ok(error instanceof ServiceError);
      assert.equal(error.code, 'BROKER_UNREACHABLE');
      assert.match(error.message, new RegExp(`127\\.0\\.0\\.1:${port}`));
      return true;
    });
  });
});

describe('createProgressReporter', () => {
  it('redraws at most twice a second on a terminal and writes only the end elsewhere', () => {
    const written = (isTTY: boolean) => {
      const texts: string[] = [];
      const reporter = createProgressReporter({ isTTY, write: (text) => texts.push(text) });
      for (let elapsedMs = 100; elapsedMs <= 2000; elapsedMs += 100) {
        reporter.update({ records: elapsedMs, bytes: 0, elapsedMs });
      }
      reporter.finish({ records: 2000, bytes: 560_000, elapsedMs: 2000 });
      return texts;
    };
    assert.equal(written(true).length, 5);
    assert.deepEqual(written(false), ['Generated 2,000 records, 0.6 MB in 2.0 s (1,000/s).\n']);
  });
});

/** A port that was free a moment ago, so nothing listens on it. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  assert.ok(address !== null && typeof address === 'object');
  return address.port;
}
