/**
 * A circuit breaker: after some failures in a row nothing is tried any more but one probe at a time,
 * after growing pauses. Its first success lets everybody through again.
 *
 * Whoever comes while the circuit is open waits instead of being refused: all callers have work that
 * stays to be done. cockatiel keeps the state; the pauses are measured here, because it measures with
 * the wall clock, and a clock that is set back an hour would keep the circuit open for an hour.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type CircuitBreakerPolicy,
  CircuitState as CockatielState,
  ConsecutiveBreaker,
  circuitBreaker,
  handleWhen,
  type IBackoff,
} from 'cockatiel';
import type { Clock } from '../core/clock.ts';
import { Backoff, type BackoffLimits } from './backoff.ts';

/** `half_open`: a probe is under way. */
export type CircuitState = 'closed' | 'half_open' | 'open';

export interface CircuitOptions {
  /** Failures in a row that open it. */
  readonly failures: number;
  /** Pauses before the probes. */
  readonly pauses: BackoffLimits;
  /** Whether an error says that the other side is in trouble; other errors are none of its business. */
  readonly isOutage: (error: unknown) => boolean;
  readonly clock: Clock;
  /** @param error the latest failure; undefined when it closes */
  readonly onChange: (state: CircuitState, error: unknown) => void;
}

/** Never too early for cockatiel, whatever the wall clock says. */
const AT_ONCE: IBackoff<unknown> = { duration: Number.NEGATIVE_INFINITY, next: () => AT_ONCE };

export class Circuit {
  readonly #clock: Clock;
  readonly #pauses: Backoff;
  readonly #policy: CircuitBreakerPolicy;
  #probeAtMs = 0;
  #probe: Promise<void> | undefined;

  constructor(options: CircuitOptions) {
    this.#clock = options.clock;
    this.#pauses = new Backoff(options.pauses);
    this.#policy = circuitBreaker(handleWhen(options.isOutage), {
      breaker: new ConsecutiveBreaker(options.failures),
      halfOpenAfter: AT_ONCE,
    });
    this.#policy.onStateChange((state) => {
      if (state === CockatielState.Open) this.#probeAtMs = this.#clock.monotonic() + this.#pauses.next();
      if (state === CockatielState.Closed) this.#pauses.reset();
      const failure = this.#policy.lastFailure;
      const error = failure !== undefined && 'error' in failure ? failure.error : undefined;
      options.onChange(stateOf(state), state === CockatielState.Closed ? undefined : error);
    });
  }

  get state(): CircuitState {
    return stateOf(this.#policy.state);
  }

  /**
   * Runs `attempt`, while the circuit is open not before it is this caller's turn to probe.
   * @returns what `attempt` returns; rejects with its error, or with an AbortError when `signal` ended the wait
   */
  async run<T>(attempt: () => Promise<T>, signal: AbortSignal): Promise<T> {
    await this.#admission(signal);
    if (this.state === 'closed') return this.#policy.execute(attempt);
    const result = this.#policy.execute(attempt);
    this.#probe = result.then(
      () => undefined,
      () => undefined,
    );
    return result.finally(() => {
      this.#probe = undefined;
    });
  }

  async #admission(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      if (this.#probe !== undefined) {
        await this.#probe;
        continue;
      }
      const waitMs = this.#probeAtMs - this.#clock.monotonic();
      if (this.state === 'closed' || waitMs <= 0) return;
      await sleep(waitMs, undefined, { signal, ref: false });
    }
  }
}

function stateOf(state: CockatielState): CircuitState {
  switch (state) {
    case CockatielState.Closed:
      return 'closed';
    case CockatielState.HalfOpen:
      return 'half_open';
    default:
      return 'open';
  }
}
