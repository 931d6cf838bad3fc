/** What can be set, all by environment variables. */

export interface BenchSettings {
  /** Records in the topic (BENCH_RECORDS). */
  readonly records: number;
  /** How often every peer runs, alternating (BENCH_ROUNDS). */
  readonly rounds: number;
  /** Run only this peer (BENCH_ONLY); null for all. */
  readonly only: string | null;
  /** Leave the directories of the runs behind (BENCH_KEEP=1, or BENCH_PROFILE=1). */
  readonly keep: boolean;
  /** Write a CPU profile per thread of the service (BENCH_PROFILE=1). */
  readonly profile: boolean;
  /** A single broker without authentication to use (KAFKA_BROKERS); null starts one. */
  readonly broker: string | null;
}

/** @throws RangeError that names the variable when a value makes no sense. */
export function readSettings(environment: NodeJS.ProcessEnv, defaultRecords: number): BenchSettings {
  return {
    records: wholeNumber(environment, 'BENCH_RECORDS', defaultRecords),
    rounds: wholeNumber(environment, 'BENCH_ROUNDS', 3),
    only: environment['BENCH_ONLY'] ?? null,
    keep: environment['BENCH_KEEP'] === '1' || environment['BENCH_PROFILE'] === '1',
    profile: environment['BENCH_PROFILE'] === '1',
    broker: environment['KAFKA_BROKERS'] ?? null,
  };
}

function wholeNumber(environment: NodeJS.ProcessEnv, name: string, fallback: number): number {
  const text = environment[name];
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new RangeError(`${name} must be a whole number from 1, not "${text}"`);
  return value;
}
