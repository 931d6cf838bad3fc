/** Holds the sum of all limits on memory against what there is, and says in words what does not fit. */
import type { MemoryBound } from '../core/memory-bound.ts';
import type { Machine } from './machine.ts';

export interface MemoryBudget {
  readonly limitBytes: number;
  /** What ordinary records can fill. */
  readonly boundBytes: number;
  /** Why the configured limits cannot be kept, a sentence without a full stop; null when they can. */
  readonly problem: string | null;
  /** A full sentence when only hostile records could exceed the memory. */
  readonly warnings: readonly string[];
}

/** As many terms as are named: the others change little. */
const NAMED_TERMS = 3;

export function memoryBudget(bound: MemoryBound, machine: Machine): MemoryBudget {
  const { memoryBytes: limitBytes } = machine;
  const fits = bound.bytes <= limitBytes;
  return {
    limitBytes,
    boundBytes: bound.bytes,
    problem: fits ? null : tooMuch(bound, machine),
    warnings: fits && bound.hostileBytes > limitBytes ? [hostile(bound, machine)] : [],
  };
}

function tooMuch({ terms, bytes }: MemoryBound, machine: Machine): string {
  const named = terms.slice(0, NAMED_TERMS).map(({ what, bytes: part }) => `${what} ${mebibytes(part)}`);
  const settings = terms.flatMap(({ setting }) => setting ?? []).slice(0, NAMED_TERMS);
  return `the limits allow ${mebibytes(bytes)} of memory (${named.join(', ')}), but ${have(machine)}; lower ${settings.join(', ')}, or give it more memory`;
}

function hostile({ hostileBytes }: MemoryBound, machine: Machine): string {
  return `Should every worker have a batch that decompresses to transform.max_decompressed_bytes, ${mebibytes(hostileBytes)} of memory could be needed, but ${have(machine)}: ordinary logs fit; to be safe from hostile ones lower that setting or transform.workers, or give it more memory.`;
}

function have({ memoryOwner, memoryBytes }: Machine): string {
  return `this ${memoryOwner} has ${mebibytes(memoryBytes)}`;
}

function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 1024 ** 2)}MiB`;
}
