/** Produces unique records into a topic while the service is made to fail, and remembers how many. */
import { setTimeout as sleep } from 'node:timers/promises';
import { CompressionTypes, type Message, Partitioners } from 'kafkajs';
import type { Random } from '../../../src/generate/random.ts';
import { uniqueMessage } from '../../helpers/exactness.ts';
import { kafkaClient } from '../../helpers/kafka.ts';

const CODECS = [
  CompressionTypes.None,
  CompressionTypes.GZIP,
  CompressionTypes.Snappy,
  CompressionTypes.LZ4,
  CompressionTypes.ZSTD,
];

export interface TrafficOptions {
  readonly bootstrap: string;
  readonly topic: string;
  readonly partitions: number;
  readonly random: Random;
  /** Records per second, about; as fast as possible when left out. */
  readonly rate?: number;
  /** At least so many records are produced. */
  readonly atLeast?: number;
}

const BATCH_RECORDS = 200;

export class Traffic {
  /** Records produced and acknowledged, by partition. */
  readonly produced: number[];
  readonly #options: TrafficOptions;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;
  #isAbandoned = false;

  /** Starts at once. */
  constructor(options: TrafficOptions) {
    this.#options = options;
    this.produced = new Array<number>(options.partitions).fill(0);
    this.#done = this.#run();
    // It may fail while nobody waits for it; `finish` still sees it.
    this.#done.catch(() => undefined);
  }

  get total(): number {
    return this.produced.reduce((sum, count) => sum + count, 0);
  }

  /** Stops producing once there are enough records, and resolves when the last is acknowledged. */
  async finish(): Promise<readonly number[]> {
    this.#stop.abort();
    await this.#done;
    return this.produced;
  }

  /** Stops at once, for a test that ends early: what still produces would keep its process alive. */
  abandon(): void {
    this.#isAbandoned = true;
    this.#stop.abort();
  }

  async #run(): Promise<void> {
    const { bootstrap, topic, rate, atLeast = 0 } = this.#options;
    const client = kafkaClient(bootstrap);
    const producer = client.producer({
      createPartitioner: Partitioners.DefaultPartitioner,
      idempotent: true,
      retry: { retries: 1000, maxRetryTime: 1000 },
    });
    await producer.connect();
    const startedAt = performance.now();
    try {
      for (let round = 0; this.#goesOn(atLeast); round += 1) {
        const compression = CODECS[round % CODECS.length] ?? CompressionTypes.None;
        await producer.send({ topic, messages: this.#batch(), compression });
        const aheadMs = rate === undefined ? 0 : (this.total / rate) * 1000 - (performance.now() - startedAt);
        if (aheadMs > 0 && !this.#stop.signal.aborted) await sleep(aheadMs);
      }
    } finally {
      await producer.disconnect();
    }
  }

  #goesOn(atLeast: number): boolean {
    if (this.#isAbandoned) return false;
    return !this.#stop.signal.aborted || this.total < atLeast;
  }

  #batch(): Message[] {
    return Array.from({ length: BATCH_RECORDS }, () => {
      const partition = this.#options.random.below(this.#options.partitions);
      const sequence = this.produced[partition] ?? 0;
      this.produced[partition] = sequence + 1;
      return uniqueMessage(partition, sequence);
    });
  }
}
