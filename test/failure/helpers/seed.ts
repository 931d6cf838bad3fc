/** Random numbers of a failure test: the seed is printed, and FAILURE_SEED repeats it. */
import { randomInt } from 'node:crypto';
import type { TestContext } from 'node:test';
import { Random } from '../../../src/generate/random.ts';

export interface Seeded {
  readonly seed: number;
  readonly random: Random;
}

export function seeded(context: TestContext): Seeded {
  const given = process.env['FAILURE_SEED'];
  const seed = given === undefined ? randomInt(2 ** 31) : Number(given);
  context.diagnostic(`seed ${seed}`);
  return { seed, random: new Random(seed) };
}
