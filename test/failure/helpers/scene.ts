/**
 * The frame of a failure test: a topic with traffic, one or more services on it, and at the end the one
 * question whether every record is there exactly once.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Random } from '../../../src/generate/random.ts';
import { type VerifyReport, verify } from '../../../src/upkeep/verify.ts';
import { checkExactness, EXACT, type ExactnessReport } from '../../helpers/exactness.ts';
import { createTopic, endOffsets, fetchGroupOffsets, testBroker } from '../../helpers/kafka.ts';
import { ServiceProcess, waitFor } from '../../helpers/service.ts';
import { expelDeadMembers } from './group-members.ts';
import { Traffic, type TrafficOptions } from './traffic.ts';

export interface SceneOptions {
  readonly name: string;
  readonly random: Random;
  readonly partitions?: number;
  /** On how many brokers each partition is kept; 1 by default. */
  readonly replicas?: number;
  /** The broker of the test run by default. */
  readonly bootstrap?: string;
  /** A build to run instead of the checkout. */
  readonly build?: string;
  /** Where the files go; a temporary directory by default. */
  readonly directory?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** A topic that is filled already; the scene gets a group of its own on it. */
  readonly topic?: string;
  /** What starts the services; see `ServiceOptions.wrapper`. */
  readonly wrapper?: readonly string[];
  /** Topic settings such as `max.message.bytes`. */
  readonly topicConfig?: Readonly<Record<string, string>>;
}

/** Small files and short intervals, so that a run of seconds sees everything that can happen to a file. */
const BRISK = {
  MAX_LOG_FILE_SIZE_MB: '0.5',
  FLUSH_INTERVAL_SEC: '0.02',
  LOG_CONSUMER_OUTPUT_CHECKPOINT_INTERVAL: '250ms',
  LOG_CONSUMER_TRANSFORM_WORKERS: '1',
};

export class Scene {
  readonly bootstrap: string;
  readonly topic: string;
  readonly groupId: string;
  readonly directory: string;
  readonly partitions: number;
  readonly #options: SceneOptions;
  readonly #services: ServiceProcess[] = [];
  readonly #traffic: Traffic[] = [];

  private constructor(options: SceneOptions, bootstrap: string, topic: string, directory: string) {
    this.#options = options;
    this.bootstrap = bootstrap;
    this.topic = topic;
    this.groupId = `group-${topic}-${randomUUID().slice(0, 8)}`;
    this.directory = directory;
    this.partitions = options.partitions ?? 6;
  }

  /** Everything that it starts or makes is ended and removed when the test ends. */
  static async set(context: TestContext, options: SceneOptions): Promise<Scene> {
    const bootstrap = options.bootstrap ?? (await testBroker());
    const { partitions = 6, replicas = 1, topicConfig: config = {} } = options;
    const topic =
      options.topic ?? (await createTopic(bootstrap, options.name, { partitions, replicas, config }));
    const directory = options.directory ?? mkdtempSync(join(tmpdir(), `${options.name}-`));
    const scene = new Scene(options, bootstrap, topic, directory);
    context.after(async () => {
      for (const traffic of scene.#traffic) traffic.abandon();
      for (const service of scene.#services) service.kill('SIGKILL');
      await Promise.all(scene.#services.map((service) => service.exited));
      if (options.directory === undefined) rmSync(directory, { recursive: true, force: true });
    });
    return scene;
  }

  /** Starts a service on the scene's topic. @param env more settings, for instance INSTANCE_ID */
  start(env: Readonly<Record<string, string>> = {}): ServiceProcess {
    const { build, wrapper } = this.#options;
    const service = new ServiceProcess({
      bootstrap: this.bootstrap,
      topic: this.topic,
      groupId: this.groupId,
      directory: this.directory,
      env: { ...BRISK, ...this.#options.env, ...env },
      ...(build === undefined ? {} : { build }),
      ...(wrapper === undefined ? {} : { wrapper }),
    });
    this.#services.push(service);
    return service;
  }

  /** Starts producing; see `Traffic.finish`. */
  traffic(options: Pick<TrafficOptions, 'rate' | 'atLeast'> = {}): Traffic {
    const { bootstrap, topic, partitions } = this;
    const traffic = new Traffic({ bootstrap, topic, partitions, random: this.#options.random, ...options });
    this.#traffic.push(traffic);
    return traffic;
  }

  /** Frees the partitions of processes that were killed, instead of waiting for their sessions to end. */
  expelDeadMembers(): Promise<void> {
    return expelDeadMembers(this.bootstrap, this.groupId);
  }

  /** What the group has committed, by partition; without the partitions of which it has nothing. */
  async committed(): Promise<Map<number, bigint>> {
    const { bootstrap, groupId, topic } = this;
    const offsets = await fetchGroupOffsets(bootstrap, groupId, topic);
    const entries = offsets.map(({ partition, offset }) => [partition, BigInt(offset)] as const);
    return new Map(entries.filter(([, offset]) => offset >= 0n));
  }

  /** Whether the group has committed every record of the topic. */
  async isCommitted(): Promise<boolean> {
    const ends = await endOffsets(this.bootstrap, this.topic);
    const committed = await this.committed();
    return [...ends].every(([partition, end]) => end === 0n || committed.get(partition) === end);
  }

  /** Waits until the group has committed every record of the topic. */
  async waitUntilCommitted(timeoutMs = 60_000): Promise<void> {
    await waitFor(
      'the group to commit everything',
      async () => {
        const isDone = await this.isCommitted();
        if (!isDone && this.#running().length === 0) throw new Error('no service is left to commit');
        return isDone;
      },
      timeoutMs,
    );
  }

  /** No Kafka commit may be ahead of the checkpoints. */
  async #assertCommitsAreDurable({ partitions }: VerifyReport): Promise<void> {
    for (const [partition, offset] of await this.committed()) {
      const durable = BigInt(partitions[`${this.topic}/${partition}`]?.next_offset ?? 0);
      assert.ok(durable >= offset, `partition ${partition}: committed ${offset}, durable up to ${durable}`);
    }
  }

  /**
   * Waits until everything is committed, stops all services that still run, and asserts that every
   * record is there exactly once and that `verify` agrees.
   */
  async finish(produced: readonly number[], timeoutMs = 60_000): Promise<ExactnessReport> {
    await this.waitUntilCommitted(timeoutMs);
    const running = this.#running();
    // What an earlier service committed says nothing of one that has only begun to start.
    await Promise.all(running.map((service) => waitUntilReading(service)));
    for (const service of running)
      assert.deepEqual(await service.stop(), { code: 0, signal: null }, service.log);
    const found = await checkExactness(this.directory, produced);
    const { lost, duplicated, altered, unordered, torn } = found;
    assert.deepEqual(found.problems, []);
    assert.deepEqual({ lost, duplicated, altered, unordered, torn }, EXACT);
    const verified = await verify(this.directory);
    assert.deepEqual(verified.problems, []);
    await this.#assertCommitsAreDurable(verified);
    assert.equal(verified.records, found.stored);
    assert.equal(verified.quarantined, found.quarantined);
    return found;
  }

  #running(): ServiceProcess[] {
    return this.#services.filter((service) => !hasEnded(service));
  }
}

/** Waits until a service has opened its files: before that it has no handler for signals yet. */
export async function waitUntilOpen(service: ServiceProcess): Promise<void> {
  await waitFor('the instance to have opened its files', () => service.log.includes('files are ready'));
}

/** Waits until a service has joined its group, or has ended. */
export async function waitUntilReading(service: ServiceProcess): Promise<void> {
  await waitFor('the service to read, or to end', () => hasEnded(service) || service.log.includes(READING));
}

const READING = '"message":"partitions assigned"';

export function hasEnded({ child }: ServiceProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
