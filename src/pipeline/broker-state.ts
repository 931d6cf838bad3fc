/** Whether the broker answers, as far as the client's failures and heartbeats tell; reports changes only. */
import type { IngestObserver } from './observer.ts';

export class BrokerState {
  readonly #observer: Pick<IngestObserver, 'brokerTrouble' | 'brokerBack'>;
  #isInTrouble = false;

  constructor(observer: Pick<IngestObserver, 'brokerTrouble' | 'brokerBack'>) {
    this.#observer = observer;
  }

  failed(message: string): void {
    if (this.#isInTrouble) return;
    this.#isInTrouble = true;
    this.#observer.brokerTrouble(message);
  }

  answered(): void {
    if (!this.#isInTrouble) return;
    this.#isInTrouble = false;
    this.#observer.brokerBack();
  }
}
