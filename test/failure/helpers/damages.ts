/** What can happen to an output directory while no service runs in it, and what a start makes of it. */
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Random } from '../../../src/generate/random.ts';

export interface Damage {
  readonly name: string;
  /** @param before the directory as it was at an earlier checkpoint */
  inflict(directory: string, random: Random, before: string): void;
}

/** The start goes on. */
export interface HarmlessDamage extends Omit<Damage, 'inflict'> {
  inflict(directory: string, random: Random): void;
  /** Whether it goes on from the checkpoint before the newest. */
  readonly fallsBack: boolean;
}

/** The start refuses. */
export interface FatalDamage extends Damage {
  readonly code: 'CHECKPOINT_CORRUPT' | 'FILE_CORRUPT';
  /** What its sentence has to name. */
  readonly says: RegExp;
}

const CHECKPOINT = 'state/checkpoint.json';
const PREVIOUS = 'state/checkpoint.prev.json';
const TEMPORARY = 'state/checkpoint.json.tmp';

export const HARMLESS: readonly HarmlessDamage[] = [
  {
    name: 'a truncated checkpoint',
    fallsBack: true,
    inflict: (directory, random) => {
      const path = join(directory, CHECKPOINT);
      truncateSync(path, 1 + random.below(statSync(path).size - 1));
    },
  },
  {
    name: 'an empty checkpoint',
    fallsBack: true,
    inflict: (directory) => truncateSync(join(directory, CHECKPOINT), 0),
  },
  {
    name: 'a missing checkpoint',
    fallsBack: true,
    inflict: (directory) => rmSync(join(directory, CHECKPOINT)),
  },
  {
    name: 'a damaged checkpoint before the newest',
    fallsBack: false,
    inflict: (directory) => truncateSync(join(directory, PREVIOUS), 10),
  },
  {
    name: 'leftover temporary files',
    fallsBack: false,
    inflict: (directory) => {
      writeFileSync(join(directory, TEMPORARY), readFileSync(join(directory, CHECKPOINT)).subarray(0, 100));
      const day = join(directory, 'archive/service_logs/date=2026-01-01');
      mkdirSync(day, { recursive: true });
      for (const suffix of ['.jsonl.gz.tmp', '.meta.json.tmp'])
        writeFileSync(join(day, `service_logs-20260101T000000.000Z-00000001${suffix}`), 'half of i');
    },
  },
  {
    name: 'an older checkpoint under the temporary name',
    fallsBack: false,
    inflict: (directory) => cpSync(join(directory, PREVIOUS), join(directory, TEMPORARY)),
  },
  {
    name: 'lines and half a line after the last that counts',
    fallsBack: false,
    inflict: (directory) => appendFileSync(join(directory, 'service_logs.jsonl'), '{"message":"x"}\n{"mess'),
  },
];

/** @param count each at another place of the checkpoint */
export function flippedBits(count: number): HarmlessDamage[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `a flipped bit in the checkpoint, number ${index + 1}`,
    fallsBack: true,
    inflict: (directory, random) => flipBit(join(directory, CHECKPOINT), random),
  }));
}

function flipBit(path: string, random: Random): void {
  const bytes = readFileSync(path);
  const at = random.below(bytes.length);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
  writeFileSync(path, bytes);
}

export const FATAL: readonly FatalDamage[] = [
  {
    name: 'two damaged checkpoints',
    code: 'CHECKPOINT_CORRUPT',
    says: /No valid checkpoint in .*checkpoint\.json and checkpoint\.prev\.json damaged/,
    inflict: (directory) => {
      truncateSync(join(directory, CHECKPOINT), 20);
      truncateSync(join(directory, PREVIOUS), 20);
    },
  },
  {
    name: 'no checkpoint at all beside lines',
    code: 'CHECKPOINT_CORRUPT',
    says: /service_logs\.jsonl holds lines, but .*checkpoint\.json is missing/,
    inflict: (directory) => {
      rmSync(join(directory, CHECKPOINT));
      rmSync(join(directory, PREVIOUS));
    },
  },
  {
    name: 'a damaged checkpoint, and the one before older than a rotation',
    code: 'CHECKPOINT_CORRUPT',
    says: /checkpoint\.json is damaged and the checkpoint before it is older than the rotation/,
    inflict: (directory, _random, before) => {
      truncateSync(join(directory, CHECKPOINT), 20);
      cpSync(join(before, CHECKPOINT), join(directory, PREVIOUS));
    },
  },
  ...(['service_logs', 'quarantine'] as const).flatMap((file): FatalDamage[] => [
    {
      name: `${file} cut short by one byte`,
      code: 'FILE_CORRUPT',
      says: new RegExp(`${file}\\.jsonl has \\d+ bytes, but the checkpoint promises`),
      inflict: (directory) => shorten(directory, file),
    },
    {
      name: `${file} gone`,
      code: 'FILE_CORRUPT',
      says: new RegExp(`${file}\\.jsonl has 0 bytes, but the checkpoint promises`),
      inflict: (directory) => rmSync(join(directory, `${file}.jsonl`)),
    },
  ]),
];

/** One byte less than the checkpoint promises; the file itself may be longer. */
function shorten(directory: string, file: string): void {
  const { files } = JSON.parse(readFileSync(join(directory, CHECKPOINT), 'utf8')) as {
    readonly files: Readonly<Record<string, { readonly length: number }>>;
  };
  truncateSync(join(directory, `${file}.jsonl`), (files[file]?.length ?? 0) - 1);
}
