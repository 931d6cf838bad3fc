/** What the ingest loop tells the outside world; `main` joins it to log, metrics and health. */
import type { LogFile } from '../core/files.ts';
import type { RecoveryAction, UnitCounts } from '../core/messages.ts';
import type { TopicPartition } from '../core/offsets.ts';

export interface IngestObserver {
  recovered(action: RecoveryAction): void;
  /** The files stand at this checkpoint, and consuming can begin. */
  resumed(sequence: number): void;
  assigned(epoch: number, partitions: readonly TopicPartition[]): void;
  rebalancing(): void;
  /** Offsets [from, to) were given up. */
  positionJumped(topic: string, partition: number, from: number, to: number, reason: string): void;
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
  diskBlocked(reason: string): void;
  diskUnblocked(): void;
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
