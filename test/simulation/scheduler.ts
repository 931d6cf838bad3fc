/**
 * The only source of time and order in a simulation. Everything that happens is an event at a moment of
 * simulated time; events of one moment come in the order in which they were planned. Between two events all
 * promises that can go on do so. So the same seed gives the same schedule.
 *
 * The timers of Node are replaced before the code under test is loaded: import this file first.
 */
import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers/promises';

const macrotask = setImmediate;

/** Chance in the code under test only shortens pauses; the same seed must give the same pauses. */
Math.random = () => 0.5;

/** A process of the simulation: what it planned dies with it, and waits while it is frozen. */
export interface Owner {
  isDead: boolean;
  /** Nothing of it happens before. */
  frozenUntil: number;
}

/** Who plans what no process has part in: the network, the broker, the trouble. */
export const NOBODY: Owner = { isDead: false, frozenUntil: 0 };

interface Event {
  at: number;
  readonly order: number;
  readonly owner: Owner;
  action: (() => void) | undefined;
}

export class Scheduler {
  now = 0;
  events = 0;
  /** Whose code runs, so that timers find their owner. */
  current: Owner = NOBODY;
  readonly #heap: Event[] = [];
  #order = 0;

  after(delayMs: number, action: () => void, owner: Owner): Event {
    const event = { at: this.now + delayMs, order: this.#order++, owner, action };
    this.#push(event);
    return event;
  }

  /** Resolves for `owner` after a delay. */
  delay(delayMs: number, owner: Owner = this.current): Promise<void> {
    return new Promise((resolve) => {
      this.after(delayMs, resolve, owner);
    });
  }

  /** Runs events up to and including a moment. */
  async runUntil(moment: number, isDone: () => boolean = () => false): Promise<void> {
    activeScheduler = this;
    for (let event = this.#heap[0]; event !== undefined && event.at <= moment; event = this.#heap[0]) {
      this.#pop();
      const { owner, action } = event;
      if (action === undefined || owner.isDead) continue;
      if (owner.frozenUntil > event.at) {
        event.at = owner.frozenUntil;
        this.#push(event);
        continue;
      }
      this.now = event.at;
      this.current = owner;
      this.events += 1;
      action();
      await new Promise(macrotask);
      this.current = NOBODY;
      if (isDone()) return;
    }
    this.now = Math.max(this.now, moment);
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let index = heap.push(event) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || isBefore(above, event)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      const [left, right] = [heap[child], heap[child + 1]];
      if (left === undefined) break;
      let smaller = left;
      if (right !== undefined && isBefore(right, left)) {
        smaller = right;
        child += 1;
      }
      if (isBefore(last, smaller)) break;
      heap[index] = smaller;
      index = child;
    }
    heap[index] = last;
  }
}

function isBefore(left: Event, right: Event): boolean {
  return left.at < right.at || (left.at === right.at && left.order < right.order);
}

let activeScheduler: Scheduler | undefined;

function scheduler(): Scheduler {
  if (activeScheduler === undefined) throw new Error('a timer was set outside of a simulation');
  return activeScheduler;
}

function cancel(event: unknown): void {
  if (typeof event === 'object' && event !== null) (event as Event).action = undefined;
}

function every(action: () => void, delayMs: number): Event {
  const { current: owner } = scheduler();
  const handle: Event = { at: 0, order: 0, owner, action };
  const tick = (): void => {
    if (handle.action === undefined) return;
    scheduler().after(delayMs, tick, owner);
    action();
  };
  scheduler().after(delayMs, tick, owner);
  return handle;
}

Object.assign(globalThis, {
  setTimeout: (action: () => void, delayMs: number) =>
    scheduler().after(delayMs, action, scheduler().current),
  clearTimeout: cancel,
  setInterval: every,
  clearInterval: cancel,
});
Object.assign(timers, {
  setTimeout: async (delayMs: number, value: unknown) => {
    await scheduler().delay(delayMs);
    return value;
  },
});
syncBuiltinESMExports();
