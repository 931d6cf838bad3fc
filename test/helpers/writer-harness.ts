/** A `Writer` in this thread, on real files, with a clock that the test moves. */
import './file-system-hook.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../../src/core/clock.ts';
import type { WriterEvent, WriterOptions, WriteUnit } from '../../src/core/messages.ts';
import { Writer } from '../../src/write/writer.ts';

type Kind = WriterEvent['kind'];
type EventOf<K extends Kind> = Extract<WriterEvent, { kind: K }>;

export class TestClock implements Clock {
  offsetMs = 0;

  now(): number {
    return Date.now() + this.offsetMs;
  }

  monotonic(): number {
    return performance.now();
  }
}

/** Nothing happens by itself, so that the test decides. */
const SLOW: Omit<WriterOptions, 'directory'> = {
  instance: 'test',
  maxFileBytes: 1024 * 1024,
  maxFileAgeMs: 3_600_000,
  bufferRecords: 1_000_000,
  flushIntervalMs: 60_000,
  checkpointIntervalMs: 60_000,
};

/** How long an event is waited for. */
const PATIENCE_MS = 5000;

export class WriterHarness {
  readonly events: WriterEvent[] = [];
  readonly clock = new TestClock();
  readonly writer: Writer;

  /** @param kafka whether Kafka takes every checkpoint at once, or the test says when */
  constructor(
    directory: string,
    options: Partial<WriterOptions> = {},
    kafka: 'takes_all' | 'silent' = 'takes_all',
  ) {
    this.writer = new Writer({ ...SLOW, directory, ...options }, this.clock, (event, transfer = []) => {
      // As between threads: whoever touches a buffer after it was given away finds it empty.
      structuredClone(null, { transfer: [...transfer] });
      this.events.push(event);
      if (kafka === 'takes_all') queueMicrotask(() => this.#takeCheckpointOf(event));
    });
  }

  /** Kafka has taken the offsets of a checkpoint. */
  acknowledge(sequence: number): void {
    this.writer.request({ kind: 'acknowledged', sequence, uncertain: [] });
  }

  #takeCheckpointOf(event: WriterEvent): void {
    if (event.kind === 'ready') this.acknowledge(event.checkpoint.sequence);
    if (event.kind === 'checkpointed') this.acknowledge(event.sequence);
  }

  append(...units: readonly WriteUnit[]): void {
    for (const unit of units) this.writer.request({ kind: 'append', unit });
  }

  of<K extends Kind>(kind: K): EventOf<K>[] {
    return this.events.filter((event): event is EventOf<K> => event.kind === kind);
  }

  /** Waits for the `count`th event of a kind since the start. */
  async wait<K extends Kind>(kind: K, count = 1): Promise<EventOf<K>> {
    const giveUpAt = performance.now() + PATIENCE_MS;
    for (;;) {
      const event = this.of(kind)[count - 1];
      if (event !== undefined) return event;
      const failure = kind === 'failed' ? undefined : this.of('failed')[0];
      if (failure !== undefined) throw new Error(`the writer failed: ${failure.error.message}`);
      if (performance.now() > giveUpAt) throw new Error(`no event "${kind}" came`);
      await sleep(1);
    }
  }

  async stop(): Promise<void> {
    this.writer.request({ kind: 'stop' });
    await this.wait('stopped');
  }
}
