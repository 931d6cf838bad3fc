/** Where generated records go. */
import type { GeneratedRecord } from './records.ts';

export interface RecordSink {
  /**
   * Delivers all records, in order, and returns when they are delivered: the caller never has more
   * than one batch under way. False when nobody reads any more and generating should simply end.
   * @throws ServiceError when they cannot be delivered.
   */
  send(records: readonly GeneratedRecord[]): Promise<boolean>;
  /** Gives back what the sink holds. */
  close(): Promise<void>;
}
