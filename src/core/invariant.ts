/** A broken assumption of our own: a bug, never caught, always fatal. */
export class InvariantError extends Error {
  constructor(message: string) {
    super(`BUG: ${message}`);
    this.name = 'InvariantError';
  }
}

/** Stops the program when `condition` is false; the message says what should have held. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}

/** For the default branch of an exhaustive switch. */
export function unreachable(value: never, what: string): never {
  throw new InvariantError(`unknown ${what}: ${JSON.stringify(value)}`);
}
