/**
 * Notices a service that has work and gets nowhere: heartbeats go out and fetches are answered, so the
 * watchdog of silence (watchdog.ts) is content, but nothing becomes durable.
 *
 * Only time in which work was pending and nobody else is to blame counts: a full disk or a broker that does
 * not answer is waited for, as long as it takes.
 */
import type { Clock } from '../core/clock.ts';

/** What the service has to do at a moment. */
export type Workload =
  | { readonly kind: 'idle' }
  /** It waits for something outside, which health tells by itself: the disk, the broker, a rebalance. */
  | { readonly kind: 'waiting' }
  /** @property what it has, for people: "12 tasks in work, 3000 records unread" */
  | { readonly kind: 'pending'; readonly what: string };

export interface ProgressLimits {
  /** Time without progress after which the service is not ready. */
  readonly unreadyAfterMs: number;
  /** And after which it is ended, so that the supervisor starts it anew. */
  readonly endAfterMs: number;
}

export interface ProgressWatchdogOptions extends ProgressLimits {
  readonly clock: Clock;
  readonly look: () => Workload;
  /** Called once per standstill. */
  readonly onStalled: (what: string, stillMs: number) => void;
  /** Called once after each `onStalled` that came to an end. */
  readonly onMoving: () => void;
  /** Called once; the watchdog has stopped itself. */
  readonly onGivenUp: (what: string, stillMs: number) => void;
}

/** Patience with a slow disk: so many times what makes the service unready. */
const ENDING_TO_UNREADY = 10;

/**
 * Limits from what the operator has set. Something becomes durable once per checkpoint interval, and a
 * session timeout is how long the group waits for a member that does nothing.
 */
export function progressLimits(sessionTimeoutMs: number, checkpointIntervalMs: number): ProgressLimits {
  const unreadyAfterMs = sessionTimeoutMs + 2 * checkpointIntervalMs;
  return { unreadyAfterMs, endAfterMs: unreadyAfterMs * ENDING_TO_UNREADY };
}

export class ProgressWatchdog {
  readonly #options: ProgressWatchdogOptions;
  #stillSinceMs: number;
  #isStalled = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ProgressWatchdogOptions) {
    this.#options = options;
    this.#stillSinceMs = options.clock.monotonic();
  }

  start(): void {
    this.progress();
    this.#timer = setInterval(() => this.#check(), this.#options.unreadyAfterMs / 4);
    this.#timer.unref();
  }

  /** Something became durable. */
  progress(): void {
    this.#stillSinceMs = this.#options.clock.monotonic();
    if (!this.#isStalled) return;
    this.#isStalled = false;
    this.#options.onMoving();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #check(): void {
    const { clock, look, unreadyAfterMs, endAfterMs } = this.#options;
    const workload = look();
    if (workload.kind !== 'pending') {
      this.progress();
      return;
    }
    const stillMs = clock.monotonic() - this.#stillSinceMs;
    if (stillMs >= unreadyAfterMs && !this.#isStalled) {
      this.#isStalled = true;
      this.#options.onStalled(workload.what, stillMs);
    }
    if (stillMs < endAfterMs) return;
    this.stop();
    this.#options.onGivenUp(workload.what, stillMs);
  }
}
