/**
 * A topic and a consumer group as Kafka keeps them: record batches, eager rebalances, session expiry,
 * commits that are refused outside of their generation, and what a network does to requests.
 */
import { decodeCommitMetadata } from '../../src/consume/commit-metadata.ts';
import type { OffsetCommit } from '../../src/consume/committer.ts';
import type { PartitionState } from '../../src/consume/topic-state.ts';
import type { Random } from '../../src/generate/random.ts';
import type { Batch } from './records.ts';
import { NOBODY, type Owner, type Scheduler } from './scheduler.ts';

const SESSION_TIMEOUT_MS = 3000;
const REBALANCE_TIMEOUT_MS = 5000;
const REQUEST_TIMEOUT_MS = 800;

/** An answer of the broker that is an error, by its name in the protocol. */
export class BrokerError extends Error {
  readonly type: string;

  constructor(type: string) {
    super(type);
    this.type = type;
  }
}

export interface Generation {
  readonly member: string;
  readonly generation: number;
  readonly partitions: readonly number[];
}

interface Member {
  lastSeen: number;
  /** Answers the join request that waits. */
  joined: ((generation: Generation) => void) | undefined;
}

interface Stored {
  readonly offset: number;
  readonly metadata: string;
}

/** How often which harm is done to a request. */
export interface Network {
  readonly lostRequests: number;
  readonly lostAnswers: number;
  readonly slowRequests: number;
}

export class FakeBroker {
  readonly logs: readonly (readonly Batch[])[];
  /** How many batches of each partition were produced. */
  readonly produced: number[];
  readonly offsets = new Map<number, Stored>();
  network: Network;
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #onCommit: (commits: readonly OffsetCommit[]) => void;
  readonly #members = new Map<string, Member>();
  readonly #arrivals = new WeakMap<Owner, number>();
  #generation = 0;
  #isPreparing = false;
  #nextMember = 0;

  constructor(
    scheduler: Scheduler,
    random: Random,
    logs: readonly (readonly Batch[])[],
    network: Network,
    onCommit: (commits: readonly OffsetCommit[]) => void,
  ) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.logs = logs;
    this.produced = logs.map(() => 0);
    this.network = network;
    this.#onCommit = onCommit;
  }

  /** Offset after the last that was produced. */
  endOf(partition: number): number {
    return this.logs[partition]?.[(this.produced[partition] ?? 0) - 1]?.next ?? 0;
  }

  /** The generation that all members are in; undefined while the group forms. */
  get generation(): number | undefined {
    return this.#isPreparing ? undefined : this.#generation;
  }

  /** Whether the group has taken everything. */
  get isDrained(): boolean {
    return this.logs.every(
      (log, partition) =>
        this.produced[partition] === log.length &&
        this.offsets.get(partition)?.offset === this.endOf(partition),
    );
  }

  /** Sends a request of a process; requests arrive in the order in which they were sent. */
  request<T>(owner: Owner, handle: () => T): Promise<T> {
    return this.exchange(owner, (answer) => answer(handle));
  }

  /** As `request`, for an answer that the broker gives later. */
  exchange<T>(owner: Owner, handle: (answer: (result: () => T) => void) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      const { lostRequests, lostAnswers, slowRequests } = this.network;
      const random = this.#random;
      const fail = (): void => reject(new BrokerError('REQUEST_TIMED_OUT'));
      const slow = random.chance(slowRequests) ? random.below(4000) : 0;
      if (slow > REQUEST_TIMEOUT_MS) this.#scheduler.after(REQUEST_TIMEOUT_MS, fail, owner);
      if (random.chance(lostRequests)) {
        this.#scheduler.after(REQUEST_TIMEOUT_MS, fail, owner);
        return;
      }
      const answer = (result: () => T): void => {
        if (random.chance(lostAnswers)) {
          this.#scheduler.after(REQUEST_TIMEOUT_MS, fail, owner);
          return;
        }
        let settle: () => void;
        try {
          const value = result();
          settle = () => resolve(value);
        } catch (error) {
          settle = () => reject(error);
        }
        this.#scheduler.after(1 + random.below(5), settle, owner);
      };
      const arrival = Math.max(
        this.#arrivals.get(owner) ?? 0,
        this.#scheduler.now + 1 + random.below(5) + slow,
      );
      this.#arrivals.set(owner, arrival);
      this.#scheduler.after(arrival - this.#scheduler.now, () => handle(answer), NOBODY);
    });
  }

  newMember(): string {
    this.#nextMember += 1;
    return `member-${this.#nextMember}`;
  }

  /** Joins the group; answered when the next generation begins. */
  join(member: string, joined: (generation: Generation) => void): void {
    const known = this.#members.get(member);
    if (known === undefined) {
      this.#members.set(member, { lastSeen: this.#scheduler.now, joined });
      this.#expireLater(member);
    } else {
      Object.assign(known, { joined, lastSeen: this.#scheduler.now });
    }
    this.#prepare();
    this.#completeWhenAllJoined();
  }

  /** @throws BrokerError */
  heartbeat(member: string, generation: number): void {
    this.#check(member, generation);
    if (this.#isPreparing) throw new BrokerError('REBALANCE_IN_PROGRESS');
  }

  /** @throws BrokerError */
  commit(member: string, generation: number, commits: readonly OffsetCommit[]): void {
    this.#check(member, generation);
    for (const { partition, offset, metadata } of commits) {
      this.offsets.set(partition, { offset: Number(offset), metadata });
    }
    this.#onCommit(commits);
  }

  /** Makes the group form anew, as an operator or another member would. */
  rebalance(): void {
    if (this.#members.size > 0) this.#prepare();
  }

  /** What a client asks at an assignment. */
  readGroup(): PartitionState[] {
    return this.logs.map((_log, partition) => {
      const stored = this.offsets.get(partition);
      return {
        partition,
        earliest: 0,
        latest: this.endOf(partition),
        committed: stored?.offset,
        metadata: decodeCommitMetadata(stored?.metadata),
      };
    });
  }

  #check(member: string, generation: number): void {
    const known = this.#members.get(member);
    if (known === undefined) throw new BrokerError('UNKNOWN_MEMBER_ID');
    known.lastSeen = this.#scheduler.now;
    if (generation !== this.#generation) throw new BrokerError('ILLEGAL_GENERATION');
  }

  #prepare(): void {
    if (this.#isPreparing) return;
    this.#isPreparing = true;
    const generation = this.#generation;
    const giveUp = (): void => {
      if (this.#isPreparing && this.#generation === generation) this.#complete();
    };
    this.#scheduler.after(REBALANCE_TIMEOUT_MS, giveUp, NOBODY);
  }

  #completeWhenAllJoined(): void {
    if (!this.#isPreparing || this.#members.size === 0) return;
    for (const { joined } of this.#members.values()) if (joined === undefined) return;
    this.#complete();
  }

  #complete(): void {
    for (const [name, { joined }] of this.#members) if (joined === undefined) this.#members.delete(name);
    this.#isPreparing = false;
    this.#generation += 1;
    const members = [...this.#members];
    const shift = this.#random.below(Math.max(1, members.length));
    members.forEach(([name, member], index) => {
      const partitions = this.logs.flatMap((_log, partition) =>
        (partition + shift) % members.length === index ? [partition] : [],
      );
      member.lastSeen = this.#scheduler.now;
      const { joined } = member;
      member.joined = undefined;
      joined?.({ member: name, generation: this.#generation, partitions });
    });
  }

  #expireLater(name: string): void {
    const member = this.#members.get(name);
    if (member === undefined) return;
    const silent = this.#scheduler.now - member.lastSeen;
    if (silent >= SESSION_TIMEOUT_MS && member.joined === undefined) {
      this.#members.delete(name);
      if (this.#members.size > 0) this.#prepare();
      this.#completeWhenAllJoined();
      return;
    }
    const wait = silent >= SESSION_TIMEOUT_MS ? SESSION_TIMEOUT_MS : SESSION_TIMEOUT_MS - silent;
    this.#scheduler.after(wait, () => this.#expireLater(name), NOBODY);
  }
}
