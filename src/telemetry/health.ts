/**
 * Whether the service is ready and alive, from one state per component. Not ready means that it does not
 * make progress now; not alive means that it cannot recover by itself and should be restarted. Degraded is
 * ready: the records flow, but something behind them does not.
 */

/** `process` is the service as a whole: it is told to stop, or it has failed. */
const COMPONENTS = [
  'process',
  'consumer',
  'progress',
  'disk',
  'archive',
  'upkeep',
  'backup',
  'space',
] as const;

export type Component = (typeof COMPONENTS)[number];

export type ComponentState =
  | { readonly kind: 'ready' }
  | { readonly kind: 'degraded'; readonly reason: string }
  | { readonly kind: 'starting'; readonly reason: string }
  /** It waits for something outside and goes on by itself. */
  | { readonly kind: 'blocked'; readonly reason: string }
  | { readonly kind: 'stopping'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string };

export interface Readiness {
  readonly ready: boolean;
  /** One for each component that is not ready: "disk: no space left on /logs". */
  readonly reasons: readonly string[];
  /** One for each component that is only degraded. */
  readonly degraded: readonly string[];
}

export interface Liveness {
  readonly live: boolean;
  readonly reasons: readonly string[];
}

export class Health {
  readonly #states: Record<Component, ComponentState> = {
    process: { kind: 'ready' },
    consumer: { kind: 'starting', reason: 'has not joined the consumer group yet' },
    progress: { kind: 'ready' },
    disk: { kind: 'ready' },
    archive: { kind: 'ready' },
    upkeep: { kind: 'ready' },
    backup: { kind: 'ready' },
    space: { kind: 'ready' },
  };

  /** Replaces the state of a component; a failure is final. */
  set(component: Component, state: ComponentState): void {
    if (this.#states[component].kind !== 'failed') this.#states[component] = state;
  }

  /** Ready when every component is, degraded or not. */
  ready(): Readiness {
    const reasons = this.#reasons((state) => state.kind !== 'degraded');
    const degraded = this.#reasons((state) => state.kind === 'degraded');
    return { ready: reasons.length === 0, reasons, degraded };
  }

  /** Alive unless a component has failed. */
  live(): Liveness {
    const reasons = this.#reasons((state) => state.kind === 'failed');
    return { live: reasons.length === 0, reasons };
  }

  /** Of the components that are not simply ready. */
  #reasons(counts: (state: ComponentState) => boolean): string[] {
    return COMPONENTS.flatMap((component) => {
      const state = this.#states[component];
      return state.kind !== 'ready' && counts(state) ? [`${component}: ${state.reason}`] : [];
    });
  }
}
