import { move, transferableSymbol, valueSymbol } from 'piscina';

/** A message for piscina, to or from a thread, whose `buffers` move instead of being copied. */
export function moving(value: unknown, buffers: readonly ArrayBuffer[]): unknown {
  return move({ [transferableSymbol]: [...buffers], [valueSymbol]: value as object });
}
