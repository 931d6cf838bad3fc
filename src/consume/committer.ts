/**
 * Commits the offsets of the one checkpoint that waits for Kafka: one request in flight, never two.
 *
 * Fencing: every assignment brings its own way of sending, bound to its generation, so a commit that is
 * late cannot pass for one of a newer generation. The broker's refusal is final for that generation; what
 * became of the checkpoint is decided at the next assignment. Any other failure leaves the outcome open,
 * and the same commit is sent again, which changes nothing when it was taken before.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isFenced } from '../core/fencing.ts';
import { type Position, partitionKey } from '../core/offsets.ts';
import { Backoff, type BackoffLimits } from '../resilience/backoff.ts';
import { encodeCommitMetadata, type OpenTenure } from './commit-metadata.ts';

export interface OffsetCommit {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly metadata: string;
}

export type SendCommit = (commits: readonly OffsetCommit[]) => Promise<void>;

export interface CommitterOptions {
  readonly instance: string;
  readonly directoryId: string;
  readonly onCommitted: (sequence: number, partitions: number) => void;
  readonly onFailed: (sequence: number, error: unknown) => void;
  /** The group has gone on without us. */
  readonly onFenced: () => void;
  /** Pauses before a commit whose outcome is open is sent again. */
  readonly pauses: BackoffLimits;
}

/** A checkpoint, as far as Kafka is concerned. */
export interface CommitRequest {
  readonly sequence: number;
  readonly positions: readonly Position[];
}

/** What an assignment allows to commit. */
interface Term {
  readonly send: SendCommit;
  readonly tenures: ReadonlyMap<string, OpenTenure>;
  readonly acknowledged: Map<string, number>;
  state: 'valid' | 'fenced';
}

export class Committer {
  readonly #options: CommitterOptions;
  #term: Term | undefined;
  #waiting: CommitRequest | undefined;
  #sending: Promise<void> | undefined;

  constructor(options: CommitterOptions) {
    this.#options = options;
  }

  /** Whether a commit that is asked for now has a chance. */
  get isValid(): boolean {
    return this.#term?.state === 'valid';
  }

  /**
   * A new assignment: only these partitions are ours to commit.
   * @param outstanding the checkpoint that waits for Kafka, if one does
   */
  begin(
    send: SendCommit,
    tenures: ReadonlyMap<string, OpenTenure>,
    outstanding: CommitRequest | undefined,
  ): void {
    this.#term = { send, tenures, acknowledged: new Map(), state: 'valid' };
    this.#waiting = outstanding;
    this.#pump();
  }

  /** Asks for a commit of what a checkpoint made durable. */
  commit(sequence: number, positions: readonly Position[]): void {
    this.#waiting = { sequence, positions };
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
    if (this.#sending !== undefined || this.#waiting === undefined || !this.isValid) return;
    this.#sending = this.#sendUntilAnswered().finally(() => {
      this.#sending = undefined;
      this.#pump();
    });
  }

  /** Ends when the request is answered, given up, or another assignment has begun. */
  async #sendUntilAnswered(): Promise<void> {
    const term = this.#term;
    const request = this.#waiting;
    const pauses = new Backoff(this.#options.pauses);
    for (;;) {
      const isCurrent = term !== undefined && request !== undefined && this.#waiting === request;
      if (!isCurrent || this.#term !== term || term.state === 'fenced') return;
      if (await this.#send(term, request)) return;
      await sleep(pauses.next(), undefined, { ref: false });
    }
  }

  /** @returns whether there is nothing left to send */
  async #send(term: Term, { sequence, positions }: CommitRequest): Promise<boolean> {
    const due = positions.filter((position) => isDue(position, term));
    try {
      if (due.length > 0) await term.send(due.map((position) => this.#encode(position, sequence, term)));
    } catch (error) {
      this.#options.onFailed(sequence, error);
      if (isFenced(error)) this.#fence(term);
      return term.state === 'fenced';
    }
    for (const { topic, partition, nextOffset } of due) {
      term.acknowledged.set(partitionKey(topic, partition), nextOffset);
    }
    if (this.#waiting?.sequence === sequence) this.#waiting = undefined;
    this.#options.onCommitted(sequence, due.length);
    return true;
  }

  #fence(term: Term): void {
    term.state = 'fenced';
    if (this.#term === term) this.#options.onFenced();
  }

  #encode({ topic, partition, nextOffset }: Position, sequence: number, term: Term): OffsetCommit {
    const { instance, directoryId } = this.#options;
    const tenure = term.tenures.get(partitionKey(topic, partition)) ?? { from: nextOffset, before: [] };
    const metadata = encodeCommitMetadata({ instance, directoryId, sequence, ...tenure });
    return { topic, partition, offset: String(nextOffset), metadata };
  }
}

function isDue({ topic, partition, nextOffset }: Position, { tenures, acknowledged }: Term): boolean {
  const key = partitionKey(topic, partition);
  const tenure = tenures.get(key);
  // Below the tenure is what we knew of the partition before others had it.
  return tenure !== undefined && nextOffset >= tenure.from && acknowledged.get(key) !== nextOffset;
}
