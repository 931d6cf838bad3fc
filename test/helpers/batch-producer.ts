/** Produces one ready record batch, which no client library would encode that way or that fast. */
import { BatchProducer } from '../../load-tests/bench/batch-producer.ts';

/** Sends `batch` to partition 0 and waits for the broker. */
export async function produceBatch(bootstrap: string, topic: string, batch: Buffer): Promise<void> {
  const producer = await BatchProducer.connect(bootstrap, topic);
  await producer.send([{ partition: 0, batch }]);
  await producer.flush();
  producer.close();
}
