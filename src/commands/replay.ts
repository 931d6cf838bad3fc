import { systemClock } from '../core/clock.ts';
import { EXIT } from '../core/errors.ts';
import { createReparser } from '../transform/reparse.ts';
import { type ReplayReport, replay } from '../upkeep/replay.ts';
import { CONFIG_OPTION, type Command, JSON_OPTION, write } from './command.ts';
import { configOf } from './config-of.ts';
import { createProgressLine } from './progress-line.ts';
import { REASON_OPTION, reasonOption } from './quarantine.ts';

export const replayCommand: Command = {
  name: 'replay',
  summary:
    'Sends the quarantine through the current parser and stores what is accepted now, each record once.',
  details: [
    'DIRECTORY defaults to the configured output directory, with all instances that share it. Can be used',
    'while the service runs, be stopped at any moment and be run again. The limits, categories and minimum',
    'level are those of the present configuration.',
    '',
    '  log-consumer replay --dry-run                  what would be stored',
    '  log-consumer replay --reason too_large         after raising transform.max_record_bytes',
  ],
  positional: 'DIRECTORY',
  options: {
    config: CONFIG_OPTION,
    reason: REASON_OPTION,
    'dry-run': { type: 'boolean', help: 'only say what would be stored' },
    json: JSON_OPTION,
  },
  async run(context) {
    const { values, positionals, streams } = context;
    const reason = reasonOption(values);
    const config = configOf(context);
    const { transform, output, categories } = config;
    const root = positionals[0] ?? output.directory;
    const progress = createProgressLine(streams.errors, 'Replaying');
    try {
      const report = await replay({
        root,
        reparse: createReparser({ ...transform, categories, minLevel: output.minLevel }),
        maxFileBytes: output.maxFileBytes,
        reason,
        dryRun: values['dry-run'] === true,
        clock: systemClock,
        onProgress: (share) => progress.update(share),
      });
      progress.finish();
      const text = values['json'] === true ? `${JSON.stringify(report)}\n` : describe(root, report);
      await write(streams.output, text);
      return EXIT.ok;
    } finally {
      progress.finish();
    }
  },
};

function describe(root: string, report: ReplayReport): string {
  const { dry_run, stored, files, filtered, already_replayed, remaining, unreadable, segments } = report;
  const categories = Object.entries(files)
    .filter(([file]) => file !== 'service_logs')
    .map(([file, count]) => `, ${count} also in ${file}`);
  const left = Object.entries(remaining).sort(([, a], [, b]) => b - a);
  return [
    `${root}: ${stored} records ${dry_run ? 'would be stored' : 'stored'}${categories.join('')}.`,
    ...(filtered > 0 ? [`  ${filtered} are below the minimum level.`] : []),
    ...(already_replayed > 0 ? [`  ${already_replayed} were replayed before.`] : []),
    ...left.map(([reason, count]) => `  ${count} remain: ${reason}.`),
    ...(unreadable > 0 ? [`  ${unreadable} lines are not entries: run "log-consumer verify".`] : []),
    ...segments.map((segment) => `  → ${segment}.jsonl`),
    '',
  ].join('\n');
}
