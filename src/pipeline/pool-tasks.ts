/** What the threads of the transform pool can do: the exports of workers/transform.ts, by name. */
import type { TransformTask } from '../core/messages.ts';
import type { UnitOptions } from '../transform/pool.ts';
import { RecordTransformer } from '../transform/record-transformer.ts';
import { UnitTransformer } from '../transform/unit.ts';
import { workerTask } from '../transform/worker-task.ts';

/** Prepares one thread; the transformers keep their memory from task to task. */
export function createPoolTasks(options: UnitOptions) {
  const unit = new UnitTransformer(new RecordTransformer(options), options.maxDecompressedBytes);
  return {
    transform: workerTask(
      (task: TransformTask) => unit.transform(task),
      ({ input, output }) => [input, output],
    ),
  };
}
