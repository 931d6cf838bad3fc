/** What the ingest loop tells the outside world; `main` joins it to log, metrics and health. */
import type { JumpReason } from '../consume/start-position.ts';
import type { LogFile } from '../core/files.ts';
import type { RecoveryAction, UnitCounts } from '../core/messages.ts';
import type { PartitionRange, TopicPartition } from '../core/offsets.ts';

export interface IngestObserver {
  recovered(action: RecoveryAction): void;
  /** The files stand at this checkpoint, and consuming can begin. */
  resumed(sequence: number): void;
  assigned(epoch: number, partitions: readonly TopicPartition[]): void;
  rebalancing(): void;
  /** Offsets [from, to) are not in these files: given up, or stored by another instance. */
  positionJumped(topic: string, partition: number, from: number, to: number, reason: JumpReason): void;
  /** The files were cut back to what the group counts as ours. */
  rolledBack(sequence: number): void;
  /** Nobody can tell whether another instance holds these offsets too; ours are kept. */
  ownershipUncertain(range: PartitionRange): void;
  /** The files were behind the group's offsets and read the difference again. */
  rereading(topic: string, partition: number, from: number, to: number): void;
  queueChanged(items: number, bytes: number): void;
  unitHanded(counts: UnitCounts): void;
  checkpointDurable(
    sequence: number,
    durationMs: number,
    fileBytes: Readonly<Partial<Record<LogFile, number>>>,
  ): void;
  /** Time from a record's Kafka timestamp to durable storage. */
  latency(milliseconds: number, records: number): void;
  lag(topic: string, partition: number, records: number): void;
  lagLost(topic: string, partition: number): void;
  committed(sequence: number, partitions: number): void;
  commitFailed(sequence: number, error: unknown): void;
  rotated(file: LogFile, path: string, bytes: number, records: number): void;
  /** A closed segment will not be changed any more. @param path without suffix */
  sealable(path: string): void;
  diskBlocked(reason: string): void;
  diskUnblocked(): void;
  /** Reading halts: the disk is above its watermark, and nothing may be removed. */
  spaceLacking(reason: string): void;
  spaceBack(): void;
  /** There is work, and nothing becomes durable. */
  stalled(what: string, stillMs: number): void;
  /** After `stalled`: it goes on. */
  moving(): void;
  /** The Kafka client failed to do something and tries again. */
  brokerTrouble(message: string): void;
  /** The broker answers again. */
  brokerBack(): void;
  kafkaLog(
    level: 'error' | 'warn' | 'info' | 'debug',
    message: string,
    details: Readonly<Record<string, unknown>>,
  ): void;
}
