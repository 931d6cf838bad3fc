/** How one logging library words an event. */
import type { LogEvent } from '../events.ts';
import type { Random } from '../random.ts';

/** Returns one line of JSON without a line break at its end. */
export type Dialect = (event: LogEvent, random: Random) => string;
