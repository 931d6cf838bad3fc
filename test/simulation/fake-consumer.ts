/**
 * The Kafka client as src/consume/source.ts makes it behave: join, take up, fetch each partition by itself,
 * heartbeat, and join again as soon as the group says so.
 */
import type { Delivery } from '../../src/consume/source.ts';
import type { Random } from '../../src/generate/random.ts';
import type { Ingest } from '../../src/pipeline/ingest.ts';
import type { Membership } from '../../src/pipeline/membership.ts';
import { BrokerError, type FakeBroker, type Generation } from './fake-broker.ts';
import { type Batch, rawBatchOf } from './records.ts';
import type { Owner, Scheduler } from './scheduler.ts';

export const TOPIC = 'logs';

const HEARTBEAT_MS = 700;
const POLL_MS = 300;

export interface ConsumerParts {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly broker: FakeBroker;
  readonly owner: Owner;
  readonly ingest: Ingest;
  readonly membership: Membership;
  readonly onFailure: (error: unknown) => void;
}

/** One time of being a member: what was begun in it is stale after it. */
interface Session {
  readonly generation: Generation;
  readonly positions: Map<number, number>;
  readonly over: PromiseWithResolvers<void>;
  isOver: boolean;
  isTakenUp: boolean;
}

export class FakeConsumer {
  readonly #parts: ConsumerParts;
  #member: string;
  #session: Session | undefined;
  /** The newest loop of fetches of each partition. */
  readonly #fetching = new Map<number, Promise<void>>();

  constructor(parts: ConsumerParts) {
    this.#parts = parts;
    this.#member = parts.broker.newMember();
  }

  /** Never ends. */
  async run(): Promise<void> {
    const { scheduler, random, membership } = this.#parts;
    for (;;) {
      await membership.revoked();
      try {
        const session = await this.#join();
        this.#session = session;
        this.#heartbeats(session);
        await this.#takeUp(session);
        await session.over.promise;
      } catch (error) {
        if (error instanceof BrokerError && error.type === 'UNKNOWN_MEMBER_ID') this.#forget();
        await scheduler.delay(20 + random.below(100));
      } finally {
        if (this.#session !== undefined) end(this.#session);
      }
    }
  }

  /** The generation that it reads in, once it has taken its partitions up. */
  get generation(): number | undefined {
    const session = this.#session;
    return session?.isOver === false && session.isTakenUp ? session.generation.generation : undefined;
  }

  seek(partition: number, offset: number): void {
    this.#session?.positions.set(partition, offset);
  }

  #forget(): void {
    this.#member = this.#parts.broker.newMember();
  }

  async #join(): Promise<Session> {
    const { broker, owner } = this.#parts;
    const member = this.#member;
    const generation = await broker.exchange<Generation>(owner, (answer) =>
      broker.join(member, (joined) => answer(() => joined)),
    );
    return {
      generation,
      positions: new Map(),
      over: Promise.withResolvers(),
      isOver: false,
      isTakenUp: false,
    };
  }

  async #takeUp(session: Session): Promise<void> {
    const { broker, owner, membership } = this.#parts;
    const { member, generation, partitions } = session.generation;
    const positions = await membership.assigned({
      partitions: partitions.map((partition) => ({ topic: TOPIC, partition })),
      commit: (commits) => broker.request(owner, () => broker.commit(member, generation, commits)),
    });
    if (session.isOver) return;
    session.isTakenUp = true;
    for (const [{ partition }, offset] of positions) {
      session.positions.set(partition, offset);
      this.#startFetching(session, partition);
    }
  }

  #heartbeats(session: Session): void {
    const { scheduler, broker, owner } = this.#parts;
    const { member, generation } = session.generation;
    const beat = (): void => {
      if (session.isOver) return;
      broker
        .request(owner, () => broker.heartbeat(member, generation))
        .catch((error: unknown) => this.#onHeartbeatError(session, error));
      scheduler.after(HEARTBEAT_MS, beat, owner);
    };
    scheduler.after(HEARTBEAT_MS, beat, owner);
  }

  #onHeartbeatError(session: Session, error: unknown): void {
    if (!(error instanceof BrokerError) || error.type === 'REQUEST_TIMED_OUT' || session.isOver) return;
    if (error.type === 'UNKNOWN_MEMBER_ID') this.#forget();
    end(session);
  }

  /** One fetch at a time over all sessions, as the fetcher of a broker has it: at most one answer is stale. */
  #startFetching(session: Session, partition: number): void {
    const before = this.#fetching.get(partition) ?? Promise.resolve();
    const fetching = before.then(() => this.#fetches(session, partition)).catch(this.#parts.onFailure);
    this.#fetching.set(partition, fetching);
  }

  async #fetches(session: Session, partition: number): Promise<void> {
    const { scheduler, random, broker } = this.#parts;
    while (!session.isOver) {
      await scheduler.delay(1 + random.below(20));
      const fetched = session.positions.get(partition) ?? 0;
      const batches = this.#batchesAfter(partition, fetched, 1 + random.below(5));
      const highWatermark = broker.endOf(partition);
      if (batches.length === 0) {
        await scheduler.delay(POLL_MS);
        continue;
      }
      // An answer can lie about while the group forms anew.
      if (random.chance(0.05)) await scheduler.delay(random.below(3000));
      await this.#handle(session, partition, fetched, batches, highWatermark);
    }
  }

  #batchesAfter(partition: number, offset: number, count: number): Batch[] {
    const { broker } = this.#parts;
    const log = broker.logs[partition]?.slice(0, broker.produced[partition]) ?? [];
    const first = log.findIndex(({ next }) => next > offset);
    return first === -1 ? [] : log.slice(first, first + count);
  }

  async #handle(
    session: Session,
    partition: number,
    fetchedOffset: number,
    batches: readonly Batch[],
    highWatermark: number,
  ): Promise<void> {
    const { ingest } = this.#parts;
    const nextOffset = batches.at(-1)?.next ?? fetchedOffset;
    const full = batches.filter(({ first, end }) => end > first && end > fetchedOffset);
    const position = { topic: TOPIC, partition, fetchedOffset, nextOffset, highWatermark };
    if (full.length === 0) {
      if (session.isOver) return;
      session.positions.set(partition, nextOffset);
      ingest.skip(position);
      return;
    }
    const delivery: Delivery = {
      ...position,
      batches: full.map(rawBatchOf),
      heartbeat: async () => {
        if (session.isOver) throw new BrokerError('REBALANCE_IN_PROGRESS');
      },
      resolve: (offset) => {
        if (session.isOver) return false;
        session.positions.set(partition, offset);
        return true;
      },
    };
    try {
      await ingest.deliver(delivery);
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error;
    }
  }
}

function end(session: Session): void {
  session.isOver = true;
  session.over.resolve();
}
