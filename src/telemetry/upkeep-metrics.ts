/** The metrics of what is done behind ingestion. */
import { Counter, Gauge, type Registry } from 'prom-client';

export function upkeepMetrics(registry: Registry) {
  const registers = [registry];
  return {
    upkeepUp: new Gauge({
      name: 'log_consumer_upkeep_up',
      help: '1 while the process runs that seals closed files.',
      registers,
    }),
    upkeepRestarts: new Counter({
      name: 'log_consumer_upkeep_restarts_total',
      help: 'Times that the upkeep process died and was started again.',
      registers,
    }),
    sealBacklog: new Gauge({
      name: 'log_consumer_seal_backlog_files',
      help: 'Closed files that wait to be compressed.',
      registers,
    }),
    sealed: new Counter({
      name: 'log_consumer_sealed_files_total',
      help: 'Closed files compressed into the archive.',
      registers,
    }),
    sealFailures: new Counter({
      name: 'log_consumer_seal_failures_total',
      help: 'Attempts to compress a closed file that failed; the file stays plain and is tried again.',
      registers,
    }),
    deadLetters: new Counter({
      name: 'log_consumer_dead_letters_total',
      help: 'Quarantined records that the dead-letter topic has taken.',
      registers,
    }),
    deadLettersTooLarge: new Counter({
      name: 'log_consumer_dead_letters_too_large_total',
      help: 'Quarantined records that the dead-letter topic refuses for their size; they are in the quarantine only.',
      registers,
    }),
    deadLetterFailures: new Counter({
      name: 'log_consumer_dead_letter_failures_total',
      help: 'Attempts to send quarantined records to the dead-letter topic that failed; they are made again.',
      registers,
    }),
    upkeepJobFailures: new Counter({
      name: 'log_consumer_upkeep_job_failures_total',
      help: 'Rounds of a job behind ingestion that failed as a whole; the next round comes all the same.',
      labelNames: ['job'],
      registers,
    }),
    backupFiles: new Counter({
      name: 'log_consumer_backup_files_total',
      help: 'Files that were copied to the backup store or found there.',
      registers,
    }),
    backupBytes: new Counter({
      name: 'log_consumer_backup_bytes_total',
      help: 'Bytes that were sent to the backup store.',
      registers,
    }),
    backupFailures: new Counter({
      name: 'log_consumer_backup_failures_total',
      help: 'Attempts to copy a file to the backup store that failed; it is tried again.',
      registers,
    }),
    backupBacklogFiles: new Gauge({
      name: 'log_consumer_backup_backlog_files',
      help: 'Sealed files that the backup store has not confirmed yet.',
      registers,
    }),
    backupBacklogBytes: new Gauge({
      name: 'log_consumer_backup_backlog_bytes',
      help: 'Bytes of the sealed files that the backup store has not confirmed yet.',
      registers,
    }),
    retentionFiles: new Counter({
      name: 'log_consumer_retention_segments_total',
      help: 'Segments that were removed for their age, for the total size, or for space on the disk.',
      registers,
    }),
    retentionBytes: new Counter({
      name: 'log_consumer_retention_bytes_total',
      help: 'Bytes that the removal of old segments has freed.',
      registers,
    }),
    spaceLacking: new Gauge({
      name: 'log_consumer_space_lacking',
      help: '1 while reading is halted because the disk is above its watermark and nothing may be removed.',
      registers,
    }),
  };
}
