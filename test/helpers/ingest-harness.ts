/** An `Ingest` between fakes: the test plays Kafka, the pool and the writer. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Delivery } from '../../src/consume/source.ts';
import { systemClock } from '../../src/core/clock.ts';
import type { TransformResult, TransformTask, WriteUnit } from '../../src/core/messages.ts';
import { Acknowledgements } from '../../src/pipeline/acknowledgements.ts';
import { Ingest, type IngestOptions } from '../../src/pipeline/ingest.ts';
import type { IngestObserver } from '../../src/pipeline/observer.ts';
import { NO_FACTS } from '../../src/storage/facts.ts';
import { TOPIC } from './write-units.ts';

export interface RunningTask {
  readonly task: TransformTask;
  /** Ends the task as the pool would, with a buffer that had to be larger when one is given. */
  finish(output?: ArrayBuffer): Promise<void>;
  fail(error: Error): Promise<void>;
}

/** `base`-`last` and the size of a record batch. */
export type BatchSpec = readonly [base: number, last: number, bytes?: number];

export interface TestDelivery extends Delivery {
  /** Offsets that kafkajs was told to go on from. */
  readonly resolved: number[];
  readonly heartbeats: number[];
}

export interface DeliverySpec {
  readonly partition?: number;
  readonly fetched: number;
  readonly batches: readonly BatchSpec[];
  readonly next?: number;
  readonly highWatermark?: number;
  readonly heartbeat?: () => Promise<void>;
  readonly stale?: boolean;
}

const DEFAULTS: IngestOptions = {
  taskBytes: 1000,
  outputBytes: 4096,
  queueBytes: 100_000,
  queueItems: 1000,
  tasksInFlight: 4,
  policy: { onLostRecords: 'earliest', onPositionConflict: 'stop', onTopicRecreated: 'earliest' },
};

export class IngestHarness {
  readonly running: RunningTask[] = [];
  readonly tasks: TransformTask[] = [];
  readonly appended: WriteUnit[] = [];
  readonly skipped: string[] = [];
  readonly seeks: string[] = [];
  readonly failures: unknown[] = [];
  readonly commits: number[] = [];
  readonly acknowledgements: Acknowledgements;
  readonly told: string[] = [];
  readonly queued = { items: 0, bytes: 0, maxItems: 0, maxBytes: 0 };
  readonly ingest: Ingest;

  constructor(options: Partial<IngestOptions> = {}, positions: Readonly<Record<number, number>> = {}) {
    const stored = Object.entries(positions).map(([partition, nextOffset]) => ({
      topic: TOPIC,
      partition: Number(partition),
      nextOffset,
    }));
    this.acknowledgements = new Acknowledgements(
      { sequence: 1, positions: stored },
      { sequence: 1, positions: stored },
    );
    this.ingest = new Ingest({
      options: { ...DEFAULTS, ...options },
      transform: (task) => this.#start(task),
      writer: {
        append: (unit) => this.appended.push(unit),
        skip: (_topic, partition, from, to, reason) =>
          this.skipped.push(`${partition}:${from}-${to} ${reason}`),
        checkpoint: () => this.told.push('checkpoint asked for'),
        acknowledge: () => undefined,
        rollBack: () => undefined,
        stop: () => undefined,
        terminate: async () => 0,
      },
      committer: { commit: (sequence) => this.commits.push(sequence) },
      acknowledgements: this.acknowledgements,
      observer: this.#observer(),
      clock: systemClock,
      seek: (_topic, partition, offset) => this.seeks.push(`${partition}@${offset}`),
      onFailure: (error) => this.failures.push(error),
    });
  }

  /** Offsets [fetched, next) hold no data record. */
  skip(partition: number, fetched: number, next: number): void {
    this.ingest.skip({
      topic: TOPIC,
      partition,
      fetchedOffset: fetched,
      nextOffset: next,
      highWatermark: next,
    });
  }

  /**
   * A rebalance: the partitions go on where their files end, new ones at offset 0. Returns where that is,
   * as `partition@offset`.
   */
  assign(...partitions: readonly number[]): string[] {
    this.ingest.suspend();
    const starts = partitions.map((partition) => ({
      topic: TOPIC,
      partition,
      offset: this.acknowledgements.filed(TOPIC, partition) ?? 0,
      jumps: [],
      tenure: { from: 0, before: [] },
      rereadsUpTo: undefined,
      latest: 0,
    }));
    this.ingest.resume(starts);
    this.told.length = 0;
    return starts.map(({ partition, offset }) => `${partition}@${offset}`);
  }

  async deliver(spec: DeliverySpec): Promise<TestDelivery> {
    const delivery = deliveryOf(spec);
    await this.ingest.deliver(delivery);
    return delivery;
  }

  /** Ends running tasks, and those that start then, until none is left; lines are written at once. */
  async finishAll(): Promise<void> {
    for (let task = this.running[0]; task !== undefined; task = this.running[0]) {
      await task.finish();
      this.release();
    }
  }

  /** Gives all buffers of appended units back, as the writer does. */
  release(): void {
    const outputs = this.#unreleased.splice(0).flatMap(({ output }) => (output === null ? [] : [output]));
    if (outputs.length > 0) this.ingest.onWriterEvent({ kind: 'released', outputs, units: outputs.length });
  }

  /** What was handed to the writer: `partition:first-next`. */
  ranges(): string[] {
    return this.appended.map(
      ({ partition, firstOffset, nextOffset }) => `${partition}:${firstOffset}-${nextOffset}`,
    );
  }

  get #unreleased(): WriteUnit[] {
    const rest = this.appended.slice(this.#released);
    this.#released = this.appended.length;
    return rest;
  }

  #released = 0;

  #start(task: TransformTask): Promise<TransformResult> {
    const done = Promise.withResolvers<TransformResult>();
    const settle = async (action: () => void): Promise<void> => {
      this.running.splice(this.running.indexOf(entry), 1);
      action();
      await sleep(0);
    };
    const entry: RunningTask = {
      task,
      finish: (output) => settle(() => done.resolve(resultOf(task, output))),
      fail: (error) => settle(() => done.reject(error)),
    };
    this.tasks.push(task);
    this.running.push(entry);
    return done.promise;
  }

  #observer(): IngestObserver {
    const ignore = (): void => undefined;
    return {
      recovered: ignore,
      resumed: ignore,
      assigned: ignore,
      rebalancing: ignore,
      positionJumped: (_topic, partition, from, to, reason) =>
        this.told.push(`jumped ${partition}:${from}-${to} ${reason}`),
      rereading: ignore,
      rolledBack: ignore,
      ownershipUncertain: ignore,
      sealable: ignore,
      stalled: ignore,
      moving: ignore,
      queueChanged: (items, bytes) => {
        const { maxItems, maxBytes } = this.queued;
        Object.assign(this.queued, {
          items,
          bytes,
          maxItems: Math.max(items, maxItems),
          maxBytes: Math.max(bytes, maxBytes),
        });
      },
      unitHanded: ignore,
      checkpointDurable: (sequence) => this.told.push(`durable ${sequence}`),
      latency: (_milliseconds, records) => this.told.push(`latency of ${records}`),
      lag: (_topic, partition, records) => this.told.push(`lag ${partition}: ${records}`),
      lagLost: (_topic, partition) => this.told.push(`lag lost ${partition}`),
      committed: ignore,
      commitFailed: ignore,
      rotated: ignore,
      diskBlocked: ignore,
      diskUnblocked: ignore,
      spaceLacking: ignore,
      spaceBack: ignore,
      brokerTrouble: () => undefined,
      brokerBack: () => undefined,
      kafkaLog: ignore,
    };
  }
}

/** The bytes of a batch tell where it belongs: its base offset, over and over. */
export function deliveryOf(spec: DeliverySpec): TestDelivery {
  const resolved: number[] = [];
  const heartbeats: number[] = [];
  const last = spec.batches.at(-1);
  const nextOffset = spec.next ?? (last === undefined ? spec.fetched : last[1] + 1);
  const { heartbeat = async () => undefined } = spec;
  return {
    topic: TOPIC,
    partition: spec.partition ?? 0,
    fetchedOffset: spec.fetched,
    batches: spec.batches.map(([baseOffset, lastOffset, length = 100]) => ({
      bytes: new Uint8Array(length).fill(baseOffset % 256),
      baseOffset,
      lastOffset,
      recordCount: lastOffset - baseOffset + 1,
      maxTimestampMs: 0,
    })),
    nextOffset,
    highWatermark: spec.highWatermark ?? nextOffset,
    heartbeat: () => {
      heartbeats.push(performance.now());
      return heartbeat();
    },
    resolve: (offset) => {
      if (spec.stale === true) return false;
      resolved.push(offset);
      return true;
    },
    resolved,
    heartbeats,
  };
}

/** @param output the lines; in the buffer that the task came with by default */
function resultOf({ input, ...task }: TransformTask, output = task.output): TransformResult {
  return {
    input,
    output,
    regions: [{ file: 'service_logs', start: 0, end: 10, records: 1 }],
    facts: NO_FACTS,
    counts: {
      consumed: 1,
      written: 1,
      filtered: 0,
      quarantined: 0,
      missingTimestamps: 0,
      unknownLevels: 0,
      quarantineReasons: {},
    },
    kafkaTimestamps: Float64Array.of(0, 1),
  };
}
