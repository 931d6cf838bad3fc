/** Where everything that happens is told. */
import type { Logger } from 'pino';
import type { Clock } from '../core/clock.ts';
import type { Health } from './health.ts';
import type { Metrics } from './metrics.ts';

export interface EventSinks {
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly clock: Clock;
}
