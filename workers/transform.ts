import { workerData } from 'node:worker_threads';
import { createPoolTasks } from '../src/pipeline/pool-tasks.ts';

export const { transform } = createPoolTasks(workerData);
