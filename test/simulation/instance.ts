/**
 * One process of the service: the real ingest loop, membership, committer and writer, wired as
 * src/pipeline/service.ts wires them, between a fake pool, a fake Kafka client and a fake disk. Messages
 * between its two threads take time and stay in order.
 */
import { Committer } from '../../src/consume/committer.ts';
import type { PositionPolicy } from '../../src/consume/start-position.ts';
import type { Clock } from '../../src/core/clock.ts';
import { deserialiseError } from '../../src/core/errors.ts';
import type { TransformResult, TransformTask, WriterEvent, WriterRequest } from '../../src/core/messages.ts';
import type { Random } from '../../src/generate/random.ts';
import { Acknowledgements } from '../../src/pipeline/acknowledgements.ts';
import { Ingest } from '../../src/pipeline/ingest.ts';
import { Membership } from '../../src/pipeline/membership.ts';
import type { IngestObserver } from '../../src/pipeline/observer.ts';
import { Writer } from '../../src/write/writer.ts';
import type { WriterClient } from '../../src/write/writer-client.ts';
import type { FakeBroker } from './fake-broker.ts';
import { FakeConsumer, TOPIC } from './fake-consumer.ts';
import { simulatedDirectory } from './memory-file-system.ts';
import { transform } from './records.ts';
import type { Owner, Scheduler } from './scheduler.ts';

/** Nothing happens to the topic in a simulation, so an impossible position is a bug. */
const POLICY: PositionPolicy = {
  onLostRecords: 'stop',
  onPositionConflict: 'stop',
  onTopicRecreated: 'stop',
};

const SIMULATED_EPOCH_MS = Date.UTC(2026, 10, 23);

export interface InstanceParts {
  readonly machine: string;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly broker: FakeBroker;
  readonly maxFileBytes: number;
  readonly tell: (what: string) => void;
  readonly onFailure: (error: unknown) => void;
}

type Ready = Extract<WriterEvent, { kind: 'ready' }>;

export class Instance implements Owner {
  isDead = false;
  frozenUntil = 0;
  readonly #parts: InstanceParts;
  readonly #clock: Clock;
  readonly #toWriter: Channel;
  readonly #toMain: Channel;
  #writer: Writer | undefined;
  #membership: Membership | undefined;
  #acknowledgements: Acknowledgements | undefined;
  #consumer: FakeConsumer | undefined;

  constructor(parts: InstanceParts) {
    this.#parts = parts;
    const { scheduler, random } = parts;
    this.#clock = { now: () => SIMULATED_EPOCH_MS + scheduler.now, monotonic: () => scheduler.now };
    this.#toWriter = new Channel(scheduler, random, this);
    this.#toMain = new Channel(scheduler, random, this);
    scheduler.after(1, () => this.#start(), this);
  }

  /** Whether it is a member of the present generation and everything that its files hold is committed. */
  get isAtRest(): boolean {
    const generation = this.#consumer?.generation;
    const isMember = generation !== undefined && generation === this.#parts.broker.generation;
    return isMember && this.#acknowledgements?.isSettled === true;
  }

  #start(): void {
    const { machine, maxFileBytes } = this.#parts;
    const options = {
      directory: simulatedDirectory(machine),
      instance: machine,
      maxFileBytes,
      maxFileAgeMs: 3_600_000,
      bufferRecords: 10,
      flushIntervalMs: 100,
      checkpointIntervalMs: 400,
    };
    try {
      this.#writer = new Writer(options, this.#clock, (event) =>
        this.#toMain.send(() => this.#onWriterEvent(event)),
      );
    } catch (error) {
      this.#parts.onFailure(error);
    }
  }

  #onWriterEvent(event: WriterEvent): void {
    switch (event.kind) {
      case 'ready':
        this.#run(event);
        return;
      case 'released':
      case 'checkpointed':
      case 'rotated':
      case 'rolled_back':
        this.#parts.tell(describe(event));
        this.#membership?.onWriterEvent(event);
        return;
      case 'failed':
        this.#parts.onFailure(deserialiseError(event.error));
        return;
      default:
    }
  }

  #run({ directoryId, checkpoint, acknowledged }: Ready): void {
    const { broker, scheduler, random, onFailure, machine, tell } = this.#parts;
    tell(`ready at ${checkpoint.sequence}, acknowledged ${acknowledged.sequence}`);
    const writer = this.#writerClient();
    const acknowledgements = new Acknowledgements(checkpoint, acknowledged);
    const committer = new Committer({
      instance: machine,
      directoryId,
      onCommitted: (sequence) => this.#membership?.committed(sequence),
      onFailed: () => undefined,
      onFenced: () => this.#membership?.fenced(),
      pauses: { firstMs: 100, maxMs: 2000 },
    });
    const observer = observerOf(tell);
    const ingest = new Ingest({
      options: {
        taskBytes: 32,
        outputBytes: 4096,
        queueBytes: 160,
        queueItems: 5,
        tasksInFlight: 3,
        policy: POLICY,
      },
      transform: (task) => this.#transform(task),
      writer,
      committer,
      acknowledgements,
      observer,
      clock: this.#clock,
      seek: (_topic, partition, offset) => consumer.seek(partition, offset),
      onFailure,
    });
    const membership = new Membership({
      topic: TOPIC,
      directoryId,
      policy: POLICY,
      writer,
      committer,
      ingest,
      acknowledgements,
      observer,
      readGroup: () => broker.request(this, () => broker.readGroup()),
      onSettled: () => undefined,
      onFailure,
    });
    this.#membership = membership;
    const consumer = new FakeConsumer({
      scheduler,
      random,
      broker,
      owner: this,
      ingest,
      membership,
      onFailure,
    });
    this.#acknowledgements = acknowledgements;
    this.#consumer = consumer;
    consumer.run().catch(onFailure);
  }

  async #transform(task: TransformTask): Promise<TransformResult> {
    const { scheduler, random } = this.#parts;
    await scheduler.delay(random.chance(0.05) ? random.below(3000) : 1 + random.below(30), this);
    return transform(task);
  }

  #writerClient(): WriterClient {
    const send = (request: WriterRequest): void => {
      if (request.kind === 'roll_back') this.#parts.tell('rolls back');
      this.#toWriter.send(() => this.#writer?.request(request));
    };
    return {
      append: (unit) => send({ kind: 'append', unit }),
      skip: (topic, partition, from, to, reason) =>
        send({ kind: 'skip', topic, partition, from, to, reason }),
      checkpoint: () => send({ kind: 'checkpoint' }),
      acknowledge: (sequence, uncertain = []) => send({ kind: 'acknowledged', sequence, uncertain }),
      rollBack: () => send({ kind: 'roll_back' }),
      stop: () => send({ kind: 'stop' }),
      terminate: async () => 0,
    };
  }
}

/** Messages from one thread to another. */
class Channel {
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #owner: Owner;
  #lastArrival = 0;

  constructor(scheduler: Scheduler, random: Random, owner: Owner) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.#owner = owner;
  }

  send(deliver: () => void): void {
    const { now } = this.#scheduler;
    const delay = this.#random.chance(0.02) ? this.#random.below(500) : this.#random.below(2);
    this.#lastArrival = Math.max(this.#lastArrival, now + delay);
    this.#scheduler.after(this.#lastArrival - now, deliver, this.#owner);
  }
}

function observerOf(tell: (what: string) => void): IngestObserver {
  const ignore = (): void => undefined;
  return {
    recovered: ignore,
    resumed: ignore,
    assigned: (epoch, partitions) =>
      tell(`assigned ${epoch}: ${partitions.map(({ partition }) => partition).join(' ')}`),
    rebalancing: ignore,
    positionJumped: (_topic, partition, from, to, reason) =>
      tell(`jump ${partition}:${from}-${to} ${reason}`),
    rolledBack: ignore,
    stalled: ignore,
    moving: ignore,
    ownershipUncertain: ({ partition, from, to }) => tell(`uncertain ${partition}:${from}-${to}`),
    rereading: (_topic, partition, from, to) => tell(`rereading ${partition}:${from}-${to}`),
    queueChanged: ignore,
    unitHanded: ignore,
    checkpointDurable: ignore,
    latency: ignore,
    lag: ignore,
    lagLost: ignore,
    committed: ignore,
    commitFailed: ignore,
    rotated: ignore,
    sealable: ignore,
    diskBlocked: ignore,
    diskUnblocked: ignore,
    spaceLacking: ignore,
    spaceBack: ignore,
    brokerTrouble: ignore,
    brokerBack: ignore,
    kafkaLog: ignore,
  };
}

function describe(
  event: Extract<WriterEvent, { kind: 'released' | 'checkpointed' | 'rotated' | 'rolled_back' }>,
): string {
  if (event.kind === 'released') return `released ${event.units}`;
  if (event.kind === 'rotated') return `rotated ${event.file}`;
  const { sequence, positions } = event.kind === 'checkpointed' ? event : event.checkpoint;
  return `${event.kind} ${sequence}: ${positions.map(({ partition, nextOffset }) => `${partition}@${nextOffset}`).join(' ')}`;
}
