import { parentPort, workerData } from 'node:worker_threads';
import { invariant } from '../src/core/invariant.ts';
import type { WriterOptions } from '../src/core/messages.ts';
import { runWriterThread } from '../src/write/writer-thread.ts';

invariant(parentPort !== null, 'workers/writer must be started as a worker thread');
runWriterThread(parentPort, workerData as WriterOptions);
