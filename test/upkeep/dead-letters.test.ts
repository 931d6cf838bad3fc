import assert from 'node:assert/strict';
import { cpSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { DeadLetter, DeadLetterTopic } from '../../src/core/dead-letter.ts';
import { ServiceError } from '../../src/core/errors.ts';
import { DeadLetters, type DeadLettersOptions } from '../../src/upkeep/dead-letters.ts';
import { alter } from '../helpers/log-directory.ts';
import { ingest, NARROW } from '../helpers/quarantined-directory.ts';
import { SealerHarness } from '../helpers/sealer-harness.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { unitOf } from '../helpers/write-units.ts';
import { TestClock, WriterHarness } from '../helpers/writer-harness.ts';

/** A topic in memory that can refuse. */
class FakeTopic implements DeadLetterTopic {
  readonly letters: DeadLetter[] = [];
  readonly calls: number[] = [];
  failures: ServiceError[] = [];
  maxBytes = 1000;

  async send(letters: readonly DeadLetter[]): Promise<readonly number[]> {
    this.calls.push(letters.length);
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
    const isTooLarge = (letter: DeadLetter): boolean => (letter.value?.length ?? 0) > this.maxBytes;
    this.letters.push(...letters.filter((letter) => !isTooLarge(letter)));
    return letters.flatMap((letter, index) => (isTooLarge(letter) ? [index] : []));
  }

  async close(): Promise<void> {}

  /** Offsets in the order in which they came. */
  get offsets(): number[] {
    return this.letters.map((letter) => Number(headerOf(letter, 'log-consumer-offset')));
  }
}

function headerOf({ headers }: DeadLetter, wanted: string): string | undefined {
  return headers.find(([name]) => name === wanted)?.[1].toString();
}

class Scene {
  readonly topic = new FakeTopic();
  readonly told: string[] = [];
  readonly letters: DeadLetters;
  readonly #stop = new AbortController();

  constructor(directory: string, options: Partial<DeadLettersOptions> = {}) {
    this.letters = new DeadLetters({
      directory,
      topic: this.topic,
      clock: new TestClock(),
      onSent: (entries) => this.told.push(`sent ${entries}`),
      onTooLarge: (message, isFirst) => this.told.push(isFirst ? message : 'too large'),
      onFailed: (error, isNew) => this.told.push(isNew ? (error as Error).message : 'failed'),
      onBack: () => this.told.push('back'),
      pauses: { firstMs: 1, maxMs: 2 },
      settleMs: 0,
      ...options,
    });
  }

  run(): Promise<boolean> {
    return this.letters.runOnce(this.#stop.signal);
  }

  stop(): void {
    this.#stop.abort();
  }
}

/** Quarantined records at the odd offsets below 2 * count, in rotated files. */
async function quarantined(directory: string, from: number, to: number): Promise<void> {
  const harness = new WriterHarness(directory, { maxFileBytes: 500, bufferRecords: 1 });
  await harness.wait('ready');
  for (let offset = from; offset < to; offset += 2) harness.append(unitOf(0, offset, [[], 'quarantined']));
  await harness.stop();
}

const odd = (from: number, to: number): number[] =>
  Array.from({ length: (to - from) / 2 }, (_, index) => from + 2 * index + 1);

test('a record goes out as it came, with the reason and its origin behind its own headers', async (context) => {
  const directory = temporaryDirectory(context);
  const value = Buffer.from([0xff, 0x00, 0x31]);
  const headers = [
    ['service', 'billing'],
    ['service', 'again'],
    ['__proto__', null],
  ] as const;
  const timestamp = Date.UTC(2026, 10, 23);
  const batches = [
    { records: [{ value, key: 'key', headers, timestamp }, { value: null }] },
    { records: [{ value: '{}' }], crc: 7 },
  ];
  await ingest(directory, [{ partition: 3, batches }], NARROW);
  const scene = new Scene(directory);
  assert.equal(await scene.run(), true);
  const [first, second, batch] = scene.topic.letters;
  assert.ok(first !== undefined && second !== undefined && batch !== undefined);
  assert.deepEqual([first.key, first.value], [Buffer.from('key'), value]);
  assert.deepEqual(
    first.headers.map(([name, content]) => [name, content.toString()]),
    [
      ['service', 'billing'],
      ['service', 'again'],
      ['__proto__', ''],
      ['log-consumer-reason', 'invalid_utf8'],
      ['log-consumer-detail', headerOf(first, 'log-consumer-detail')],
      ['log-consumer-topic', 'logs'],
      ['log-consumer-partition', '3'],
      ['log-consumer-offset', '0'],
      ['log-consumer-timestamp', String(timestamp)],
    ],
  );
  assert.deepEqual(
    [second.key, second.value, headerOf(second, 'log-consumer-reason')],
    [null, null, 'empty'],
  );
  assert.deepEqual(
    ['reason', 'offset', 'last-offset', 'records'].map((name) => headerOf(batch, `log-consumer-${name}`)),
    ['corrupt_batch', '2', '2', '1'],
  );
});

test('each pass sends what came since, over rotations and compression', async (context) => {
  const directory = temporaryDirectory(context);
  await quarantined(directory, 0, 20);
  const scene = new Scene(directory);
  assert.equal(await scene.run(), true);
  assert.equal(await scene.run(), true);
  assert.deepEqual(scene.topic.offsets, odd(0, 20));
  const sealing = new SealerHarness(directory);
  sealing.sealAll();
  await sealing.idle();
  await quarantined(directory, 20, 60);
  const restarted = new Scene(directory);
  await restarted.run();
  assert.deepEqual(restarted.topic.offsets, odd(20, 60));
});

test('nothing beyond what Kafka has acknowledged', async (context) => {
  const directory = temporaryDirectory(context);
  const harness = new WriterHarness(directory, { bufferRecords: 1 }, 'silent');
  harness.acknowledge((await harness.wait('ready')).checkpoint.sequence);
  harness.append(unitOf(0, 0, ['quarantined']));
  harness.writer.request({ kind: 'checkpoint' });
  const { sequence } = await harness.wait('checkpointed');
  const scene = new Scene(directory, { settleMs: 60_000 });
  assert.equal(await scene.run(), true);
  assert.deepEqual(scene.topic.offsets, []);
  harness.acknowledge(sequence);
  harness.append(unitOf(0, 1, ['quarantined']));
  harness.writer.request({ kind: 'checkpoint' });
  await harness.wait('checkpointed', 2);
  await scene.run();
  assert.deepEqual(scene.topic.offsets, [0]);
  harness.acknowledge(sequence + 1);
  await harness.stop();
});

test('a crash between the topic and the position sends again, and loses nothing', async (context) => {
  const directory = temporaryDirectory(context);
  await quarantined(directory, 0, 20);
  const scene = new Scene(directory);
  const { send } = scene.topic;
  let copies = 0;
  scene.topic.send = async (letters) => {
    const refused = await send.call(scene.topic, letters);
    copies += 1;
    cpSync(directory, `${directory}-${copies}`, { recursive: true });
    return refused;
  };
  await scene.run();
  assert.ok(copies > 1);
  for (let copy = 1; copy <= copies; copy += 1) {
    const again = new Scene(`${directory}-${copy}`);
    await again.run();
    rmSync(`${directory}-${copy}`, { recursive: true });
    const before = scene.topic.offsets.slice(
      0,
      scene.topic.calls.slice(0, copy).reduce((sum, count) => sum + count, 0),
    );
    assert.deepEqual([...new Set([...before, ...again.topic.offsets])], odd(0, 20));
    assert.ok(again.topic.offsets.length < 10 || copy === 1, 'only the last batch goes twice');
  }
});

/** A roll-back reaches back one checkpoint: the records since then, at most, have to come again. */
const LATEST = 3;

async function sentAfterRollBack(context: TestContext, to: number): Promise<number[]> {
  const parent = temporaryDirectory(context);
  const [directory, other] = [join(parent, 'a'), join(parent, 'b')];
  await quarantined(directory, 0, 40);
  await new Scene(directory).run();
  // What another history of the same instance would have left: everything differs from offset 10 on.
  await quarantined(other, 0, 10);
  const harness = new WriterHarness(other, { maxFileBytes: 500, bufferRecords: 1 });
  await harness.wait('ready');
  for (let offset = 10; offset < to; offset += 2) harness.append(unitOf(0, offset, ['quarantined', []]));
  await harness.stop();
  cpSync(join(directory, 'state/dead-letter.json'), join(other, 'state/dead-letter.json'));
  const scene = new Scene(other);
  await scene.run();
  return scene.topic.offsets;
}

test('files that were cut back after they were sent are sent anew from there', async (context) => {
  // These histories end in an earlier segment than the position, in the same one and in a later one.
  for (const to of [16, 24, 40, 60]) {
    const offsets = await sentAfterRollBack(context, to);
    const latest = Array.from({ length: LATEST }, (_, index) => to - 2 * LATEST + 2 * index);
    assert.deepEqual(
      latest.filter((offset) => offset >= 10 && !offsets.includes(offset)),
      [],
      `up to ${to}`,
    );
    assert.ok(offsets.length > 0);
  }
});

test('a topic that is missing is said once, and tried again in the next pass', async (context) => {
  const directory = temporaryDirectory(context);
  await quarantined(directory, 0, 4);
  const scene = new Scene(directory);
  const missing = (): ServiceError => new ServiceError('TOPIC_MISSING', 'it is not there');
  scene.topic.failures = [missing(), missing()];
  assert.equal(await scene.run(), false);
  assert.ok(!existsSync(join(directory, 'state/dead-letter.json')));
  assert.equal(await scene.run(), false);
  assert.equal(await scene.run(), true);
  assert.deepEqual(scene.told, ['it is not there', 'failed', 'back', 'sent 2']);
  assert.deepEqual(scene.topic.offsets, odd(0, 4));
});

test('a broker that is away is tried again within the pass, until that is stopped', async (context) => {
  const directory = temporaryDirectory(context);
  await quarantined(directory, 0, 4);
  const scene = new Scene(directory);
  const away = (): ServiceError => new ServiceError('BROKER_UNREACHABLE', 'away');
  scene.topic.failures = [away(), away()];
  assert.equal(await scene.run(), true);
  assert.deepEqual(scene.told, ['away', 'failed', 'back', 'sent 2']);
  const stopped = new Scene(directory);
  stopped.stop();
  rmSync(join(directory, 'state/dead-letter.json'));
  assert.equal(await stopped.run(), false);
  assert.deepEqual(stopped.topic.calls, []);
});

test('what is too large is said once, counted, and passed over', async (context) => {
  const directory = temporaryDirectory(context);
  const records = [{ value: 'x'.repeat(2000) }, { value: 'small' }, { value: 'y'.repeat(2000) }];
  await ingest(directory, [{ partition: 0, batches: [{ records }] }], NARROW, {});
  const scene = new Scene(directory);
  assert.equal(await scene.run(), true);
  assert.deepEqual(scene.topic.offsets, [1]);
  assert.equal(scene.told[0], 'sent 1');
  assert.match(scene.told[1] ?? '', /^The record of logs\/0 offset 0 is too large for the dead-letter topic/);
  assert.deepEqual(scene.told.slice(2), ['too large']);
});

test('batches are bounded in bytes', async (context) => {
  const directory = temporaryDirectory(context);
  const records = Array.from({ length: 30 }, () => ({ value: 'x'.repeat(100_000) }));
  await ingest(directory, [{ partition: 0, batches: [{ records }] }], NARROW, {});
  const scene = new Scene(directory);
  scene.topic.maxBytes = 1e9;
  await scene.run();
  assert.ok(Math.max(...scene.topic.calls) <= 6, scene.topic.calls.join());
  assert.deepEqual(scene.topic.offsets, Array.from(records.keys()));
});

test('a damaged position is said', async (context) => {
  const directory = temporaryDirectory(context);
  await quarantined(directory, 0, 4);
  const scene = new Scene(directory);
  await scene.run();
  alter(join(directory, 'state/dead-letter.json'), (text) => text.replace('1', '2'));
  await assert.rejects(scene.run(), {
    code: 'FILE_CORRUPT',
    message: /remove it to have the whole quarantine sent/,
  });
});
