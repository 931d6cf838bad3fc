/**
 * Cost of one record on one thread: scan, normalise, classify, write. Prints the best of many rounds per
 * kind of record, because the noise of a shared machine only ever adds.
 *
 * Run: `node load-tests/micro/transform-record.ts [kind]`
 */
import { DEFAULT_CATEGORY_RULES } from '../../src/core/category-rules.ts';
import { LineBuffer } from '../../src/transform/line-buffer.ts';
import type { RawRecord } from '../../src/transform/raw-record.ts';
import { RecordTransformer } from '../../src/transform/record-transformer.ts';

const RECORDS = 4000;
const ROUNDS = 60;

const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
const text = (i: number): string =>
  `payment ${i} accepted after retrying the upstream card gateway of the bank`;
const iso = (i: number): string => new Date(Date.UTC(2026, 10, 23, 9) + i * 7).toISOString();
const service = (i: number): string => ['payments', 'checkout', 'inventory', 'edge-proxy'][i % 4] ?? '';

const KINDS: Record<string, (i: number) => object> = {
  typical: (i) => ({
    timestamp: iso(i),
    service: service(i),
    level: i % 50 === 0 ? 'ERROR' : 'INFO',
    message: text(i),
    trace_id: trace,
    duration_ms: 12.5 + i,
    user_id: 48_213 + i,
    host: 'web-17',
  }),
  pino: (i) => ({
    level: 30,
    time: 1_795_424_400_033 + i,
    pid: 26_717,
    hostname: 'web-17',
    name: service(i),
    reqId: `req-${i}`,
    req: { method: 'GET', url: `/cart/${i}`, remoteAddress: '203.0.113.7' },
    res: { statusCode: 200 },
    responseTime: 12.345,
    msg: 'request completed with everything that was asked for',
  }),
  ecs: (i) => ({
    '@timestamp': iso(i),
    'log.level': 'INFO',
    message: text(i),
    'ecs.version': '1.2.0',
    'service.name': service(i),
    'event.dataset': 'pay-api',
    'process.thread.name': 'main',
    'log.logger': 'com.shop.cart.CartController',
  }),
  canonical: (i) => ({
    timestamp: iso(i),
    service: service(i),
    level: 'INFO',
    message: text(i),
    correlation_id: trace,
    extra: { duration_ms: 12.5 + i, user_id: 48_213 + i, host: 'web-17' },
  }),
  utf8: (i) => ({
    timestamp: iso(i),
    service: service(i),
    level: 'INFO',
    message: `оплата ${i} принята банком после повтора`,
    user: 'Žofie',
  }),
  errors: (i) => ({
    timestamp: iso(i),
    service: service(i),
    level: 'ERROR',
    message: text(i),
    err: {
      type: 'TimeoutError',
      message: 'no answer in 5 s',
      stack: 'TimeoutError: no answer\n    at a (/srv/a.js:1:2)',
    },
  }),
};

function measure(name: string, make: (i: number) => object): void {
  const values = Array.from({ length: RECORDS }, (_, i) => Buffer.from(JSON.stringify(make(i))));
  const bytes = new Uint8Array(Buffer.concat(values));
  const transformer = new RecordTransformer({
    minLevel: 'TRACE',
    maxRecordBytes: 1 << 20,
    maxDepth: 64,
    categories: DEFAULT_CATEGORY_RULES,
  });
  const lines = new LineBuffer(new ArrayBuffer(bytes.length * 2));
  const quarantine = new LineBuffer(new ArrayBuffer(1024));
  const source = { topic: 'logs', partition: 0 };
  const record: RawRecord = {
    bytes,
    offset: 0,
    timestamp: 1,
    keyStart: -1,
    keyEnd: -1,
    valueStart: 0,
    valueEnd: 0,
    headersStart: 0,
    headersEnd: 0,
    headerCount: 0,
  };
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    lines.length = 0;
    const start = process.hrtime.bigint();
    let at = 0;
    for (const value of values) {
      record.valueStart = at;
      at += value.length;
      record.valueEnd = at;
      transformer.transform(record, source, lines, quarantine);
    }
    best = Math.min(best, Number(process.hrtime.bigint() - start) / RECORDS);
  }
  const averageBytes = Math.round(bytes.length / RECORDS);
  console.log(
    `${name.padEnd(10)} ${averageBytes} bytes in, ${Math.round(lines.length / RECORDS)} out: ${(best / 1000).toFixed(3)} µs per record`,
  );
}

const [only] = process.argv.slice(2);
for (const [name, make] of Object.entries(KINDS)) {
  if (only === undefined || only === name) measure(name, make);
}
