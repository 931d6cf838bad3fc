/**
 * What every benchmark needs around it: a broker, a directory, and the certainty that both are gone at
 * the end, also after Ctrl-C or a failure.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EmbeddedKafka, startKafka } from '../../scripts/kafka/embedded-kafka.ts';
import type { BenchSettings } from './settings.ts';

export interface Workbench {
  /** `host:port`. */
  readonly broker: string;
  readonly signal: AbortSignal;
  /** Runs `work` in a new directory, which is removed afterwards unless BENCH_KEEP is set. */
  inDirectory<T>(name: string, work: (directory: string) => Promise<T>): Promise<T>;
  /** Says what is going on, on standard error. */
  say(text: string): void;
}

/** Runs `work` and returns the exit code: 0, or 1 after a failure, which it prints. */
export async function withWorkbench(
  settings: BenchSettings,
  work: (bench: Workbench) => Promise<void>,
): Promise<number> {
  const interruption = new AbortController();
  const interrupt = (): void => interruption.abort(new Error('interrupted'));
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  const root = await mkdtemp(join(tmpdir(), 'log-consumer-bench-'));
  const say = (text: string): void => {
    process.stderr.write(`${text}\n`);
  };
  let kafka: EmbeddedKafka | null = null;
  try {
    if (settings.broker === null) {
      say('Starting Kafka ...');
      kafka = await startKafka();
    }
    await work({
      broker: kafka?.bootstrap ?? settings.broker ?? '',
      signal: interruption.signal,
      say,
      async inDirectory(name, use) {
        const directory = join(root, name);
        await mkdir(directory, { recursive: true });
        try {
          return await use(directory);
        } finally {
          if (!settings.keep) await rm(directory, { recursive: true, force: true });
        }
      },
    });
    return 0;
  } catch (thrown) {
    say(`bench: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
    return 1;
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
    await kafka?.stop();
    if (settings.keep) say(`Kept: ${root}`);
    else await rm(root, { recursive: true, force: true });
  }
}
