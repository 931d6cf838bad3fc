/** Faults that the watched service has to get over without ending: each happens, and is healed. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../../src/generate/random.ts';
import type { ServiceProcess } from '../../helpers/service.ts';
import type { FaultInjector } from './fault-injector.ts';
import { hasEnded, type Scene, waitUntilOpen } from './scene.ts';
import type { Fault, TcpProxy } from './tcp-proxy.ts';

const KINDS = ['disk_full', 'disk_slow', 'resets', 'latency', 'stands_still', 'membership'] as const;
type Kind = (typeof KINDS)[number];

export interface PassingFaultsParts {
  readonly scene: Scene;
  /** Runs under the injector, and behind the proxy. */
  readonly watched: ServiceProcess;
  readonly injector: FaultInjector;
  readonly proxy: TcpProxy;
  readonly random: Random;
}

const SLOW_CALL_MS = 50;

export class PassingFaults {
  readonly counts = Object.fromEntries(KINDS.map((kind) => [kind, 0])) as Record<Kind, number>;
  readonly #parts: PassingFaultsParts;
  #member: ServiceProcess | undefined;

  constructor(parts: PassingFaultsParts) {
    this.#parts = parts;
  }

  /** Lets one of them happen for up to 2 s. */
  async next(): Promise<void> {
    const { random } = this.#parts;
    const kind = random.pick(KINDS);
    this.counts[kind] += 1;
    await this.#cause(kind, 500 + random.below(1500));
  }

  async #cause(kind: Kind, durationMs: number): Promise<void> {
    const { injector, watched } = this.#parts;
    switch (kind) {
      case 'disk_full':
        injector.arm({ at: 1, action: 'failOn', error: 'ENOSPC', kinds: ['write'] });
        await sleep(durationMs);
        return injector.heal();
      case 'disk_slow':
        injector.delay(SLOW_CALL_MS, ['write', 'sync']);
        await sleep(durationMs);
        return injector.delay(0, []);
      case 'resets':
        return this.#disturbNetwork({ kind: 'reset', afterBytes: 50_000 }, durationMs);
      case 'latency':
        return this.#disturbNetwork({ kind: 'latency', ms: 100 }, durationMs);
      case 'stands_still':
        watched.kill('SIGSTOP');
        await sleep(durationMs);
        watched.kill('SIGCONT');
        return;
      case 'membership':
        return this.#changeMembership();
    }
  }

  async #disturbNetwork(fault: Fault, durationMs: number): Promise<void> {
    this.#parts.proxy.set(fault);
    await sleep(durationMs);
    this.#parts.proxy.set({ kind: 'none' });
  }

  /** A second instance comes, or the one that is there leaves or is killed. */
  async #changeMembership(): Promise<void> {
    const member = this.#member;
    if (member === undefined || hasEnded(member)) {
      const started = this.#parts.scene.start({ INSTANCE_ID: 'other' });
      this.#member = started;
      await waitUntilOpen(started);
      return;
    }
    if (this.#parts.random.chance(0.5)) member.kill('SIGKILL');
    else await member.stop();
    await member.exited;
  }
}
