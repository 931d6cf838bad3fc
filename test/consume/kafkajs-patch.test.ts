/**
 * Each change of patches/kafkajs+2.2.4.patch. On kafkajs as published all of these fail but two, which
 * guard what the changes must keep: a fetch from the middle of a batch, and throttling.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, it } from 'node:test';
import { buildFetchResponse, type FetchedRecords } from '../helpers/fetch-response-builder.ts';
import {
  createConnection,
  createGroupMember,
  createRequestQueue,
  decodeFetch,
  Encoder,
  type KafkajsBatch,
} from '../helpers/kafkajs-internals.ts';
import { buildControlBatch, buildRecordBatch, CODEC_NAMES } from '../helpers/record-batch-builder.ts';

/** A request that needs no authentication, and an answer taken as it is. */
const API_VERSIONS = { apiKey: 18, apiVersion: 0, apiName: 'ApiVersions', encode: () => new Encoder() };
const AS_TEXT = {
  decode: async (payload: Buffer) => ({ text: payload.toString() }),
  parse: async ({ text }: { readonly text: string }) => text,
};

const RECORDS = [{ value: 'one' }, { value: 'two' }, { value: 'three' }];

async function fetch(
  records: readonly Uint8Array[],
  rest: Partial<FetchedRecords> = {},
  fetchedOffset = 0,
): Promise<KafkajsBatch> {
  const fetched = { topic: 'logs', partition: 3, highWatermark: 1_000_000, ...rest };
  return await decodeFetch(
    buildFetchResponse({ ...fetched, records: Buffer.concat(records) }),
    fetchedOffset,
  );
}

function offsetsOf(batch: KafkajsBatch): unknown[] {
  return batch.messages.map((message) => message['offset']);
}

describe('kafkajs hands out record batches', () => {
  for (const codec of CODEC_NAMES) {
    it(`whole and as they came, compressed by ${codec}`, async () => {
      const first = buildRecordBatch({ records: RECORDS, baseOffset: 40, codec });
      const second = buildRecordBatch({ records: RECORDS, baseOffset: 43, codec });
      const batch = await fetch([first, second]);
      assert.deepEqual(offsetsOf(batch), ['42', '45']);
      assert.deepEqual(batch.messages[0]?.['rawBatch'], first);
      assert.deepEqual(batch.messages[1]?.['rawBatch'], second);
      assert.equal(batch.messages[0]?.['recordCount'], 3);
    });
  }

  it('without looking up the codec', async () => {
    const unknownCodec = buildRecordBatch({ records: RECORDS, codecBits: 7 });
    assert.deepEqual(offsetsOf(await fetch([unknownCodec])), ['2']);
  });

  it('however many records they have', async () => {
    const records = Array.from({ length: 130_000 }, () => ({ value: null }));
    const batch = await fetch([buildRecordBatch({ records })]);
    assert.deepEqual(offsetsOf(batch), ['129999']);
  });

  it('and keeps one in whose middle the fetch began', async () => {
    const batch = await fetch([buildRecordBatch({ records: RECORDS, baseOffset: 40 })], {}, 42);
    assert.deepEqual(offsetsOf(batch), ['42']);
  });

  it('and drops one that ends before the fetch began', async () => {
    const before = buildRecordBatch({ records: RECORDS, baseOffset: 37 });
    const batch = await fetch([before, buildRecordBatch({ records: RECORDS, baseOffset: 40 })], {}, 40);
    assert.deepEqual(offsetsOf(batch), ['42']);
  });

  it('also when compaction has emptied them', async () => {
    const batch = await fetch([buildRecordBatch({ records: [], baseOffset: 40, lastOffsetDelta: 9 })]);
    assert.deepEqual(offsetsOf(batch), ['49']);
    assert.equal(batch.messages[0]?.['recordCount'], 0);
  });

  it('and leaves out a partial one at the end', async () => {
    const whole = buildRecordBatch({ records: RECORDS });
    for (const cut of [1, 12, 17, 50, 61, whole.length - 1]) {
      const batch = await fetch([
        whole,
        buildRecordBatch({ records: RECORDS, baseOffset: 3 }).subarray(0, cut),
      ]);
      assert.deepEqual(offsetsOf(batch), ['2'], `cut to ${cut} bytes`);
    }
  });
});

describe('kafkajs survives malformed record batches', () => {
  it('takes a response too short for a magic byte as a partial batch', async () => {
    const batch = await fetch([buildRecordBatch({ records: RECORDS }).subarray(0, 16)]);
    assert.deepEqual(offsetsOf(batch), []);
  });

  it('hands out a batch of unknown magic', async () => {
    const batch = await fetch([buildRecordBatch({ records: RECORDS, magic: 5 })]);
    assert.deepEqual(offsetsOf(batch), ['2']);
  });

  for (const length of [-2_000_000_000, -1, 0, 48]) {
    it(`raises an error that is retried for a length of ${length}`, async () => {
      const broken = buildRecordBatch({ records: RECORDS, length });
      await assert.rejects(fetch([broken]), { name: 'KafkaJSError', retriable: true });
    });
  }

  it('hands out the good batches before a malformed one', async () => {
    const good = buildRecordBatch({ records: RECORDS });
    const broken = buildRecordBatch({ records: RECORDS, baseOffset: 3, length: 5 });
    assert.deepEqual(offsetsOf(await fetch([good, broken])), ['2']);
  });

  it('hands out a batch that corruption has made a control batch', async () => {
    const batch = buildRecordBatch({ records: RECORDS });
    batch.writeInt16BE(0x20, 21);
    assert.deepEqual(offsetsOf(await fetch([batch])), ['2']);
  });

  it('hands out a control batch that cannot be decoded', async () => {
    const batch = buildRecordBatch({ records: RECORDS, control: true, codecBits: 3 });
    assert.deepEqual(offsetsOf(await fetch([batch])), ['2']);
  });
});

describe('kafkajs leaves out transactions that were aborted', () => {
  const data = (producerId: number, baseOffset: number) =>
    buildRecordBatch({ records: RECORDS, baseOffset, producerId, transactional: true, codec: 'lz4' });

  it('and hands out the committed ones between them', async () => {
    const batch = await fetch(
      [
        data(7, 0),
        data(8, 3),
        buildControlBatch('abort', 7, 6),
        buildControlBatch('commit', 8, 7),
        data(7, 8),
      ],
      { abortedTransactions: [{ producerId: 7, firstOffset: 0 }] },
    );
    assert.deepEqual(offsetsOf(batch), ['5', '10']);
    assert.equal(batch.lastOffset(), '10');
  });

  it('when several began before the fetch did', async () => {
    const aborted = [
      { producerId: 7, firstOffset: 0 },
      { producerId: 8, firstOffset: 3 },
    ];
    const batch = await fetch([data(8, 100), data(7, 103)], { abortedTransactions: aborted }, 100);
    assert.deepEqual(offsetsOf(batch), []);
  });

  it('in whatever order the broker lists them', async () => {
    const aborted = [
      { producerId: 8, firstOffset: 3 },
      { producerId: 7, firstOffset: 0 },
    ];
    const batch = await fetch([data(7, 0), data(8, 3)], { abortedTransactions: aborted });
    assert.deepEqual(offsetsOf(batch), []);
  });

  it('and takes no record for the end of a transaction', async () => {
    const marker = { key: Buffer.alloc(4), value: 'not a marker' };
    const posing = buildRecordBatch({ records: [marker], producerId: 7, transactional: true });
    const aborted = [{ producerId: 7, firstOffset: 0 }];
    const batch = await fetch([posing, data(7, 1)], { abortedTransactions: aborted });
    assert.deepEqual(offsetsOf(batch), []);
  });
});

describe('a connection of kafkajs', () => {
  it('reads answers from their beginning after it broke in the middle of one', async (t) => {
    let connections = 0;
    const server = createServer((socket) => {
      connections += 1;
      const isFirst = connections === 1;
      socket.on('error', () => undefined);
      socket.on('data', (request: Buffer) => {
        const answer = Buffer.concat([request.subarray(8, 12), Buffer.from('the answer')]);
        const length = Buffer.alloc(4);
        length.writeInt32BE(answer.length);
        const bytes = Buffer.concat([length, answer]);
        if (isFirst) socket.write(bytes.subarray(0, 9), () => socket.resetAndDestroy());
        else socket.write(bytes);
      });
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const connection = createConnection((server.address() as AddressInfo).port);
    t.after(async () => {
      await connection.disconnect();
      server.close();
    });
    const ask = () => connection.send({ request: API_VERSIONS, response: AS_TEXT });
    await connection.connect();
    await assert.rejects(ask(), { name: 'KafkaJSConnectionError' });
    await connection.connect();
    assert.equal(await ask(), 'the answer');
  });

  it('sets no timer when nothing is pending', () => {
    const queue = createRequestQueue();
    try {
      queue.checkPendingRequests();
      assert.equal(queue.throttleCheckTimeoutId, null);
    } finally {
      queue.destroy();
    }
  });

  it('still sends what was held back by throttling', async () => {
    const queue = createRequestQueue();
    try {
      queue.maybeThrottle(20);
      await new Promise<void>((resolve) => {
        queue.push({ entry: { correlationId: 1 }, expectResponse: true, sendRequest: resolve });
        assert.notEqual(queue.throttleCheckTimeoutId, null);
      });
    } finally {
      queue.destroy();
    }
  });
});

describe('a member of a group in kafkajs', () => {
  it('goes on with its heartbeats when the wall clock is set back', async (t) => {
    let heartbeats = 0;
    const member = createGroupMember(() => {
      heartbeats += 1;
    });
    const hourAgo = Date.now() - 3_600_000;
    t.mock.method(Date, 'now', () => hourAgo);
    await member.heartbeat({ interval: 0 });
    assert.equal(heartbeats, 1);
  });
});
