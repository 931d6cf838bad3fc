/**
 * Watches over the service: whether the consumer shows a sign of life, whether the broker answers, and
 * whether work gets done. Whoever sees something tells it here.
 */
import type { Clock } from '../core/clock.ts';
import { ServiceError } from '../core/errors.ts';
import { BrokerState } from './broker-state.ts';
import type { IngestObserver } from './observer.ts';
import { ProgressWatchdog, progressLimits, type Workload } from './progress-watchdog.ts';
import { Watchdog } from './watchdog.ts';

export interface VigilanceParts {
  readonly clock: Clock;
  readonly observer: IngestObserver;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly checkpointIntervalMs: number;
  /** What is to be done, for people; undefined when there is nothing. */
  readonly pendingWork: () => string | undefined;
  readonly onFailure: (error: ServiceError) => void;
}

/** A consumer without a sign of life for this many session timeouts is taken for dead. */
const WATCHDOG_SESSIONS = 2;

export class Vigilance {
  readonly #parts: VigilanceParts;
  readonly #silence: Watchdog;
  readonly #progress: ProgressWatchdog;
  readonly #broker: BrokerState;
  #isBrokerInTrouble = false;
  #isDiskBlocked = false;
  #isSpaceLacking = false;
  #isMember = false;

  constructor(parts: VigilanceParts) {
    this.#parts = parts;
    const { clock, observer, sessionTimeoutMs, checkpointIntervalMs, onFailure } = parts;
    this.#broker = new BrokerState(observer);
    this.#silence = new Watchdog(clock, sessionTimeoutMs * WATCHDOG_SESSIONS, (silentMs) =>
      onFailure(silent(silentMs)),
    );
    this.#progress = new ProgressWatchdog({
      ...progressLimits(sessionTimeoutMs, checkpointIntervalMs),
      clock,
      look: () => this.#workload(),
      onStalled: (what, stillMs) => observer.stalled(what, stillMs),
      onMoving: () => observer.moving(),
      onGivenUp: (what, stillMs) => onFailure(givenUp(what, stillMs)),
    });
  }

  /** The consumer runs. */
  start(): void {
    this.#silence.start();
    this.#progress.start();
  }

  stop(): void {
    this.#silence.stop();
    this.#progress.stop();
  }

  /** Any sign of life from the consumer. */
  activity(): void {
    this.#silence.activity();
  }

  /** The broker took a heartbeat. */
  heartbeat(): void {
    this.#silence.activity();
    this.#isBrokerInTrouble = false;
    this.#broker.answered();
  }

  /** The client failed at something, and tries again: that too is a sign of life. */
  clientFailed(message: string): void {
    this.#isBrokerInTrouble = true;
    this.#broker.failed(message);
  }

  /** Lines were written, became durable, or were taken by Kafka. */
  progress(): void {
    this.#progress.progress();
  }

  diskBlocked(isBlocked: boolean): void {
    this.#isDiskBlocked = isBlocked;
  }

  spaceLacking(isLacking: boolean): void {
    this.#isSpaceLacking = isLacking;
  }

  /**
   * Whether there is an assignment; without one nothing can be done. The broker lets everybody who joins
   * wait for the members that have not come yet, for up to the rebalance timeout.
   */
  member(isMember: boolean): void {
    this.#isMember = isMember;
    const { sessionTimeoutMs, rebalanceTimeoutMs } = this.#parts;
    this.#silence.allow(sessionTimeoutMs * WATCHDOG_SESSIONS + (isMember ? 0 : rebalanceTimeoutMs));
  }

  #workload(): Workload {
    const what = this.#parts.pendingWork();
    if (what === undefined) return { kind: 'idle' };
    const isWaiting =
      this.#isDiskBlocked || this.#isSpaceLacking || this.#isBrokerInTrouble || !this.#isMember;
    return isWaiting ? { kind: 'waiting' } : { kind: 'pending', what };
  }
}

function silent(silentMs: number): ServiceError {
  return new ServiceError(
    'STALLED',
    `The Kafka consumer showed no sign of life for ${Math.round(silentMs / 1000)} s: exiting, so that the supervisor starts it anew.`,
  );
}

function givenUp(what: string, stillMs: number): ServiceError {
  return new ServiceError(
    'STALLED',
    `Nothing became durable for ${Math.round(stillMs / 1000)} s although there is work (${what}) and both disk and broker answer: exiting, so that the supervisor starts it anew.`,
  );
}
