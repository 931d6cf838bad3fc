/**
 * Commits durable offsets to Kafka: one request in flight, never two; fenced by the epoch.
 *
 * Kafka checks the member and the generation of a commit, not who owns the partition, and kafkajs sends
 * whatever generation it has by then. So positions of an older epoch are dropped here, before the
 * request; a commit that Kafka rejects is not repeated, because the next checkpoint brings a newer one.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Position, partitionKey } from '../core/offsets.ts';
import { encodeCommitMetadata } from './commit-metadata.ts';

export interface OffsetCommit {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly metadata: string;
}

export interface CommitterOptions {
  readonly instance: string;
  readonly send: (commits: readonly OffsetCommit[]) => Promise<void>;
  readonly onCommitted: (sequence: number, partitions: number) => void;
  readonly onFailed: (sequence: number, error: unknown) => void;
}

interface Request {
  readonly epoch: number;
  readonly sequence: number;
  readonly positions: readonly Position[];
}

export class Committer {
  readonly #options: CommitterOptions;
  #epoch = 0;
  /** Where this tenure of each assigned partition began; undefined until its first delivery. */
  #tenures = new Map<string, number | undefined>();
  #acknowledged = new Map<string, number>();
  #latest: Request | undefined;
  #waiting: Request | undefined;
  #sending: Promise<void> | undefined;

  constructor(options: CommitterOptions) {
    this.#options = options;
  }

  /** A new assignment: only these partitions are ours to commit, and earlier requests are void. */
  beginEpoch(epoch: number, assigned: ReadonlyMap<string, number | undefined>): void {
    this.#epoch = epoch;
    this.#waiting = undefined;
    this.#acknowledged = new Map();
    this.#tenures = new Map(assigned);
    // What the assignment before could not commit any more may be the last there is for a long time.
    if (this.#latest !== undefined) this.commit(this.#latest.sequence, this.#latest.positions);
  }

  /** The first delivery of a partition whose position was not known tells where its tenure begins. */
  startTenure(topic: string, partition: number, offset: number): void {
    const key = partitionKey(topic, partition);
    if (this.#tenures.has(key) && this.#tenures.get(key) === undefined) this.#tenures.set(key, offset);
  }

  /** Asks for a commit of what a checkpoint made durable; a newer request replaces a waiting one. */
  commit(sequence: number, positions: readonly Position[]): void {
    this.#latest = { epoch: this.#epoch, sequence, positions };
    this.#waiting = this.#latest;
    this.#pump();
  }

  /** Resolves when nothing is waiting or in flight, or after `deadlineMs`. */
  async settled(deadlineMs: number): Promise<void> {
    const deadline = sleep(deadlineMs, 'late', { ref: false });
    while (this.#sending !== undefined) {
      if ((await Promise.race([this.#sending, deadline])) === 'late') return;
    }
  }

  #pump(): void {
    if (this.#sending !== undefined) return;
    const request = this.#take();
    if (request === undefined) return;
    this.#sending = this.#send(request).finally(() => {
      this.#sending = undefined;
      this.#pump();
    });
  }

  #take(): Request | undefined {
    const request = this.#waiting;
    this.#waiting = undefined;
    return request;
  }

  async #send(request: Request): Promise<void> {
    if (request.epoch !== this.#epoch) return;
    const due = request.positions.filter((position) => this.#isDue(position));
    if (due.length === 0) return;
    try {
      await this.#options.send(due.map((position) => this.#encode(position, request.sequence)));
    } catch (error) {
      this.#options.onFailed(request.sequence, error);
      return;
    }
    if (request.epoch !== this.#epoch) return;
    for (const { topic, partition, nextOffset } of due) {
      this.#acknowledged.set(partitionKey(topic, partition), nextOffset);
    }
    this.#options.onCommitted(request.sequence, due.length);
  }

  #isDue({ topic, partition, nextOffset }: Position): boolean {
    const key = partitionKey(topic, partition);
    const tenure = this.#tenures.get(key);
    // Below the tenure is what we knew of the partition before others had it.
    return tenure !== undefined && nextOffset >= tenure && this.#acknowledged.get(key) !== nextOffset;
  }

  #encode({ topic, partition, nextOffset }: Position, sequence: number): OffsetCommit {
    const tenure = this.#tenures.get(partitionKey(topic, partition)) ?? 0;
    const metadata = encodeCommitMetadata({ instance: this.#options.instance, sequence, tenure });
    return { topic, partition, offset: String(nextOffset), metadata };
  }
}
