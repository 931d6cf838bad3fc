/**
 * Loaded into every thread of a service (NODE_OPTIONS=--import=…): lets a test end one of them. A thread
 * dies as the file named by THREAD_DEATH_ORDER says as soon as it exists: `<thread> <death>`, where the
 * thread is `writer` or `transform`. The first that finds the file takes it away.
 */
import { readFileSync, rmSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const LOOK_EVERY_MS = 20;

const DEATHS = {
  exit: () => process.exit(3),
  throw: () => {
    throw new Error('died by order');
  },
  /** Fills the heap. */
  memory: () => {
    const kept = [];
    for (;;) kept.push(Array.from({ length: 100_000 }, (_, index) => ({ index })));
  },
};

function lookFor(path) {
  let order = '';
  try {
    order = readFileSync(path, 'utf8');
  } catch {
    // No order yet, or another thread has taken it.
    return;
  }
  const [victim, death] = order.split(' ');
  const thread = process.argv[1].includes('workers/writer') ? 'writer' : 'transform';
  if (victim !== thread) return;
  rmSync(path);
  DEATHS[death]();
}

if (!isMainThread) setInterval(() => lookFor(process.env.THREAD_DEATH_ORDER), LOOK_EVERY_MS).unref();
