/** Time as a dependency, so that tests and simulations can move it. */
export interface Clock {
  /** Wall clock: milliseconds since the epoch. It can jump, so it never measures a duration. */
  now(): number;
  /** Milliseconds since an arbitrary start, never going back. */
  monotonic(): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};
