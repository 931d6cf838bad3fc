import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import type { JavaCommand } from './java-command.ts';

interface Trainee {
  stop(): Promise<void>;
}

/** Starts a throw-away broker with the given options of the Java machine. */
type StartTrainee = (
  command: JavaCommand,
  options: Record<string, never>,
  javaOptions: readonly string[],
) => Promise<Trainee>;

/**
 * Makes the class archive of this Java version once per checkout: one broker start whose loaded
 * classes are written down, so that every later start maps them instead of reading and verifying
 * them (measured: 1.4 s instead of 2.4 s until ready, and half the CPU).
 */
export async function ensureClassArchive(command: JavaCommand, start: StartTrainee): Promise<void> {
  if (existsSync(command.archive)) return;
  const unfinished = `${command.archive}.${process.pid}`;
  try {
    const trainee = await start(command, {}, [`-XX:ArchiveClassesAtExit=${unfinished}`]);
    await trainee.stop();
    // A Java machine without this feature writes nothing, and brokers then start without an archive.
    if (existsSync(unfinished)) await rename(unfinished, command.archive);
  } finally {
    await rm(unfinished, { force: true });
  }
}
