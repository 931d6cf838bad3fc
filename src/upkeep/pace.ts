/** Lets sealing wait while ingestion needs the machine, but not for ever: under constant load it goes on slowly. */
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 50;
const MAX_WAIT_MS = 1000;

export class Pace {
  /** Whether ingestion leaves the machine time for other work. */
  isQuiet = true;

  /** Waits for a quiet moment, at most MAX_WAIT_MS. @returns false when `signal` has aborted */
  async turn(signal: AbortSignal): Promise<boolean> {
    for (let waited = 0; !signal.aborted && !this.isQuiet && waited < MAX_WAIT_MS; waited += POLL_MS) {
      await sleep(POLL_MS);
    }
    return !signal.aborted;
  }
}
