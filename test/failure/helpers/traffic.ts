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

/** Records per second since a moment; undefined is as fast as possible. */
interface Pace {
  readonly rate: number | undefined;
  readonly fromMs: number;
  readonly fromRecords: number;
}

const BATCH_RECORDS = 200;

/** Outlasts an outage of two minutes; the client has retries of its own, for its connections. */
const PATIENT = { retries: 120, maxRetryTime: 1000 };

export class Traffic {
  /** Records produced and acknowledged, by partition. */
  readonly produced: number[];
  readonly #options: TrafficOptions;
  #pace: Pace;
  readonly #stop = new AbortController();
  #abandoned = false;
  readonly #done: Promise<void>;

  /** Starts at once. */
  constructor(options: TrafficOptions) {
    this.#options = options;
    this.#pace = { rate: options.rate, fromMs: performance.now(), fromRecords: 0 };
    this.produced = new Array<number>(options.partitions).fill(0);
    this.#done = this.#run();
    // It may fail while nobody waits for it; `finish` still sees it.
    this.#done.catch(() => undefined);
  }

  get total(): number {
    return this.produced.reduce((sum, count) => sum + count, 0);
  }

  /** From now on so many records per second. */
  setRate(rate: number): void {
    this.#pace = { rate, fromMs: performance.now(), fromRecords: this.total };
  }

  /** Stops producing at once, for a test that ends early. */
  abandon(): void {
    this.#abandoned = true;
    this.#stop.abort();
  }

  /** Stops producing once there are enough records, and resolves when the last is acknowledged. */
  async finish(): Promise<readonly number[]> {
    this.#stop.abort();
    await this.#done;
    return this.produced;
  }

  async #run(): Promise<void> {
    const { bootstrap, topic, atLeast = 0 } = this.#options;
    const client = kafkaClient(bootstrap, PATIENT);
    const producer = client.producer({
      createPartitioner: Partitioners.DefaultPartitioner,
      idempotent: true,
      retry: PATIENT,
    });
    await producer.connect();
    try {
      for (let round = 0; this.#goesOn(atLeast); round += 1) {
        const compression = CODECS[round % CODECS.length] ?? CompressionTypes.None;
        await producer.send({ topic, messages: this.#batch(), compression });
        const aheadMs = this.#aheadMs();
        if (aheadMs > 0 && !this.#stop.signal.aborted) await sleep(aheadMs);
      }
    } finally {
      await producer.disconnect();
    }
  }

  /** How much earlier than its rate wants it the production is. */
  #aheadMs(): number {
    const { rate, fromMs, fromRecords } = this.#pace;
    if (rate === undefined) return 0;
    return ((this.total - fromRecords) / rate) * 1000 - (performance.now() - fromMs);
  }

  #goesOn(atLeast: number): boolean {
    return !this.#abandoned && (!this.#stop.signal.aborted || this.total < atLeast);
  }

  /**
   * Of one partition: kafkajs sends partitions that an answer has acknowledged once more when their
   * leader moves before the other answers of the same call have come.
   */
  #batch(): Message[] {
    const partition = this.#options.random.below(this.#options.partitions);
    const first = this.produced[partition] ?? 0;
    this.produced[partition] = first + BATCH_RECORDS;
    return Array.from({ length: BATCH_RECORDS }, (_, index) => uniqueMessage(partition, first + index));
  }
}
