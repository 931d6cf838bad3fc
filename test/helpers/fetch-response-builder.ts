/** Writes the body of a Fetch response, version 11, as a broker sends it. */

export interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
}

export interface FetchedRecords {
  readonly topic: string;
  readonly partition: number;
  readonly highWatermark: number;
  readonly abortedTransactions?: readonly AbortedTransaction[];
  /** Record batches back to back; the last may be cut off. */
  readonly records: Uint8Array;
}

export function buildFetchResponse(fetched: FetchedRecords): Buffer {
  const topic = Buffer.from(fetched.topic);
  return Buffer.concat([
    int32(0), // throttle time
    int16(0), // error
    int32(0), // session
    int32(1),
    int16(topic.length),
    topic,
    int32(1),
    int32(fetched.partition),
    int16(0), // error
    int64(fetched.highWatermark),
    int64(fetched.highWatermark), // last stable offset
    int64(0), // log start offset
    abortedTransactions(fetched.abortedTransactions ?? []),
    int32(-1), // preferred read replica
    int32(fetched.records.length),
    fetched.records,
  ]);
}

function abortedTransactions(transactions: readonly AbortedTransaction[]): Buffer {
  return Buffer.concat([
    int32(transactions.length),
    ...transactions.flatMap(({ producerId, firstOffset }) => [int64(producerId), int64(firstOffset)]),
  ]);
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function int64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(value));
  return bytes;
}
