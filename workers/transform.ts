import { workerData } from 'node:worker_threads';
import type { TransformTask } from '../src/core/messages.ts';
import type { UnitOptions } from '../src/transform/pool.ts';
import { RecordTransformer } from '../src/transform/record-transformer.ts';
import { UnitTransformer } from '../src/transform/unit.ts';
import { workerTask } from '../src/transform/worker-task.ts';
import { compressMember as compress } from '../src/upkeep/gzip-member.ts';

const options = workerData as UnitOptions;
const unit = new UnitTransformer(new RecordTransformer(options), options.maxDecompressedBytes);

export const transform = workerTask(
  (task: TransformTask) => unit.transform(task),
  ({ input, output }) => [input, output],
);

export const compressMember = workerTask(compress, ({ compressed }) => [compressed]);
