/**
 * The ingest service from start to stop: recovery, start positions, consuming, orderly shutdown.
 * Whatever goes wrong for good arrives at one place, `fail`, and ends `run`.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Committer } from '../consume/committer.ts';
import { createSource, type Source, type SourceOptions } from '../consume/source.ts';
import type { PositionPolicy } from '../consume/start-position.ts';
import { type PartitionState, readTopicState } from '../consume/topic-state.ts';
import type { Clock } from '../core/clock.ts';
import { deserialiseError, ServiceError } from '../core/errors.ts';
import { unreachable } from '../core/invariant.ts';
import { COMMIT_BACKOFF, OUTPUT_BUFFER_BYTES } from '../core/limits.ts';
import type { WriterEvent, WriterOptions } from '../core/messages.ts';
import { lockDirectory } from '../storage/lock.ts';
import type { TransformPool } from '../transform/pool.ts';
import { startWriter, type WriterClient } from '../write/writer-client.ts';
import { Acknowledgements } from './acknowledgements.ts';
import { askUntilAnswered } from './broker-wait.ts';
import { Ingest, type IngestOptions } from './ingest.ts';
import { Membership } from './membership.ts';
import type { IngestObserver } from './observer.ts';
import { Vigilance } from './vigilance.ts';

export interface ServiceParts {
  readonly source: Omit<SourceOptions, 'partitions'>;
  readonly policy: PositionPolicy;
  readonly writer: WriterOptions;
  readonly ingest: Omit<IngestOptions, 'policy' | 'outputBytes'>;
  readonly shutdownDeadlineMs: number;
  readonly pool: Pick<TransformPool, 'run'>;
  readonly observer: IngestObserver;
  readonly clock: Clock;
}

type ReadyEvent = Extract<WriterEvent, { kind: 'ready' }>;

interface Consumer {
  readonly vigilance: Vigilance;
  readonly source: Source;
  readonly committer: Committer;
  readonly ingest: Ingest;
}

export class IngestService {
  readonly #parts: ServiceParts;
  readonly #stopRequested = new AbortController();
  readonly #failure = Promise.withResolvers<never>();
  readonly #writerStopped = Promise.withResolvers<void>();
  readonly #writerReady = Promise.withResolvers<ReadyEvent>();
  #hasFailed = false;
  #isHeld = false;
  #ingest: Ingest | undefined;
  #membership: Membership | undefined;
  #vigilance: Vigilance | undefined;

  constructor(parts: ServiceParts) {
    this.#parts = parts;
    // It may reject while nobody waits for it; whoever waits later still sees it.
    this.#failure.promise.catch(() => undefined);
  }

  /** Asks for an orderly stop; `run` resolves when it is done. */
  requestStop(): void {
    this.#stopRequested.abort();
  }

  /** Whether ingestion leaves the machine time for other work. */
  isQuiet(): boolean {
    return this.#ingest?.isQuiet() ?? true;
  }

  /** Halts reading for lack of space, in the group and with heartbeats. @param reason null to go on */
  hold(reason: string | null): void {
    if ((reason !== null) === this.#isHeld) return;
    this.#isHeld = reason !== null;
    this.#ingest?.hold(this.#isHeld);
    this.#vigilance?.spaceLacking(this.#isHeld);
    if (reason !== null) this.#parts.observer.spaceLacking(reason);
    else this.#parts.observer.spaceBack();
  }

  /** Ends `run` with a failure. */
  fail(error: unknown): void {
    this.#hasFailed = true;
    this.#failure.reject(error);
  }

  /**
   * Runs until `requestStop`.
   * @param onReady called once, when what the files held at the start is known to be ours
   * @throws ServiceError for everything that the service cannot go on from
   */
  async run(onReady: () => void = () => undefined): Promise<void> {
    const lock = lockDirectory(this.#parts.writer.directory);
    const writer = startWriter(this.#parts.writer, (event) => this.#onWriterEvent(event));
    try {
      await this.#runWith(writer, onReady);
    } finally {
      await writer.terminate();
      lock.release();
    }
  }

  async #runWith(writer: WriterClient, onReady: () => void): Promise<void> {
    const ready = await Promise.race([this.#writerReady.promise, this.#failure.promise]);
    const partitions = await askUntilAnswered(
      () => this.#readGroup(),
      this.#parts.clock,
      this.#stopRequested.signal,
      (message) => this.#parts.observer.kafkaLog('warn', `${message} Trying again.`, {}),
    );
    if (partitions === undefined) return this.#stopWriter(writer);
    const consumer = this.#createConsumer(writer, ready, partitions.length, onReady);
    const { vigilance } = consumer;
    try {
      await Promise.race([consumer.source.start(), this.#failure.promise, this.#stop()]);
      vigilance.start();
      await Promise.race([this.#stop(), this.#failure.promise]);
      await this.#shutDown(writer, consumer);
    } finally {
      vigilance.stop();
      await Promise.race([
        consumer.source.close().catch(() => undefined),
        sleep(5000, undefined, { ref: false }),
      ]);
    }
  }

  #createConsumer(
    writer: WriterClient,
    { directoryId, checkpoint, acknowledged }: ReadyEvent,
    partitionCount: number,
    onReady: () => void,
  ): Consumer {
    const { observer, clock, policy } = this.#parts;
    const onFailure = (error: unknown): void => this.fail(error);
    const acknowledgements = new Acknowledgements(checkpoint, acknowledged);
    const committer = this.#createCommitter(directoryId);
    const ingest = new Ingest({
      options: { ...this.#parts.ingest, outputBytes: OUTPUT_BUFFER_BYTES, policy },
      transform: (task) => this.#parts.pool.run(task),
      writer,
      committer,
      acknowledgements,
      observer,
      clock,
      seek: (topic, partition, offset) => source.seek(topic, partition, offset),
      onFailure,
    });
    const { topic } = this.#parts.source;
    this.#membership = new Membership({
      topic,
      directoryId,
      policy,
      writer,
      committer,
      ingest,
      acknowledgements,
      observer,
      readGroup: () => this.#readGroup(),
      onSettled: onReady,
      onFailure,
    });
    const vigilance = this.#createVigilance(ingest, acknowledgements);
    const source = this.#createSource(this.#membership, { ingest, vigilance }, partitionCount);
    this.#ingest = ingest;
    this.#vigilance = vigilance;
    return { source, committer, ingest, vigilance };
  }

  #createCommitter(directoryId: string): Committer {
    const { observer, writer } = this.#parts;
    return new Committer({
      instance: writer.instance,
      directoryId,
      onCommitted: (sequence, count) => {
        observer.committed(sequence, count);
        this.#vigilance?.progress();
        this.#membership?.committed(sequence);
      },
      onFailed: (sequence, error) => observer.commitFailed(sequence, error),
      onFenced: () => this.#membership?.fenced(),
      pauses: COMMIT_BACKOFF,
    });
  }

  #createVigilance(ingest: Ingest, acknowledgements: Acknowledgements): Vigilance {
    const { clock, observer, source, writer } = this.#parts;
    return new Vigilance({
      clock,
      observer,
      sessionTimeoutMs: source.sessionTimeoutMs,
      rebalanceTimeoutMs: source.rebalanceTimeoutMs,
      checkpointIntervalMs: writer.checkpointIntervalMs,
      pendingWork: () => {
        const { tasks } = ingest;
        if (tasks > 0) return `${tasks} tasks in work`;
        return acknowledgements.isSettled ? undefined : 'a checkpoint to be made and committed';
      },
      onFailure: (error) => this.fail(error),
    });
  }

  #createSource(
    membership: Membership,
    { ingest, vigilance }: Pick<Consumer, 'ingest' | 'vigilance'>,
    partitionCount: number,
  ): Source {
    return createSource(
      { ...this.#parts.source, partitions: partitionCount },
      {
        onRevoked: () => {
          vigilance.member(false);
          return membership.revoked();
        },
        onAssigned: async (assignment) => {
          const positions = await membership.assigned(assignment);
          vigilance.member(true);
          return positions;
        },
        onDelivery: (delivery) => ingest.deliver(delivery),
        onSkipped: (skipped) => ingest.skip(skipped),
        onActivity: () => vigilance.activity(),
        onHeartbeat: () => vigilance.heartbeat(),
        onFailure: (error) => this.fail(error),
      },
      (level, message, details) => {
        // What a client has to say while it is being closed would bury the reason.
        if (this.#hasFailed) return;
        vigilance.activity();
        if (level === 'error') vigilance.clientFailed(message);
        this.#parts.observer.kafkaLog(level, message, details);
      },
    );
  }

  /** Pause, drain, checkpoint, commit; leaving the group is left to the caller. */
  async #shutDown(writer: WriterClient, { source, committer, ingest }: Consumer): Promise<void> {
    source.pause();
    const deadlineMs = this.#parts.shutdownDeadlineMs;
    const orderly = async (): Promise<void> => {
      await ingest.drain();
      await this.#stopWriter(writer);
      await committer.settled(deadlineMs);
    };
    await Promise.race([orderly(), this.#failure.promise, missDeadline(deadlineMs)]);
  }

  async #stopWriter(writer: WriterClient): Promise<void> {
    writer.stop();
    await Promise.race([this.#writerStopped.promise, this.#failure.promise]);
  }

  #readGroup(): Promise<PartitionState[]> {
    const { source } = this.#parts;
    return readTopicState(source, source.topic, source.groupId, ignoreKafkaLog);
  }

  #stop(): Promise<void> {
    const { signal } = this.#stopRequested;
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  #onWriterEvent(event: WriterEvent): void {
    const { observer } = this.#parts;
    switch (event.kind) {
      case 'ready':
        for (const action of event.recovery) observer.recovered(action);
        observer.resumed(event.checkpoint.sequence);
        this.#writerReady.resolve(event);
        return;
      case 'released':
      case 'checkpointed':
      case 'rotated':
      case 'rolled_back':
        this.#vigilance?.progress();
        this.#membership?.onWriterEvent(event);
        return;
      case 'blocked':
        this.#vigilance?.diskBlocked(true);
        observer.diskBlocked(event.reason);
        return;
      case 'unblocked':
        this.#vigilance?.diskBlocked(false);
        observer.diskUnblocked();
        return;
      case 'failed':
        this.fail(deserialiseError(event.error));
        return;
      case 'stopped':
        this.#writerStopped.resolve();
        return;
      default:
        unreachable(event, 'writer event');
    }
  }
}

function ignoreKafkaLog(): void {}

async function missDeadline(deadlineMs: number): Promise<never> {
  await sleep(deadlineMs, undefined, { ref: false });
  throw new ServiceError(
    'SHUTDOWN_TIMEOUT',
    `The service could not finish within shutdown.deadline (${deadlineMs} ms): what was not committed is read again at the next start.`,
  );
}
