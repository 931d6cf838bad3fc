import { EXIT, ServiceError } from '../core/errors.ts';
import { type RestoreReport, restore } from '../upkeep/backup/restore.ts';
import { ALWAYS, type TimeRange } from '../upkeep/backup/restore-plan.ts';
import { withStore } from './backup-scene.ts';
import { CONFIG_OPTION, type Command, JSON_OPTION, type OptionValues, textOption, write } from './command.ts';
import { configOf } from './config-of.ts';
import { createProgressLine } from './progress-line.ts';

export const restoreCommand: Command = {
  name: 'restore',
  summary: 'Brings closed files back from the configured store into a new directory.',
  details: [
    'Times are ISO 8601, UTC unless they say otherwise: 2026-11-23T09:00:00Z. A date means the whole day.',
    'Every file with a record inside the time comes back whole. Run "log-consumer verify DIRECTORY" on the',
    'result. A restore that broke off goes on when it is called again with the same options.',
    'Exits 0 when everything came back, 1 when something is missing or differs.',
  ],
  positional: 'DIRECTORY',
  options: {
    config: CONFIG_OPTION,
    json: JSON_OPTION,
    from: { type: 'string', argument: 'TIME', help: 'begin of what is wanted (default: everything)' },
    to: { type: 'string', argument: 'TIME', help: 'end of what is wanted (default: everything)' },
    instance: { type: 'string', argument: 'ID', help: 'only this instance (default: all)' },
  },
  async run(context) {
    const { values, positionals, streams } = context;
    const [directory, ...others] = positionals;
    if (directory === undefined || others.length > 0) {
      throw new ServiceError('USAGE', 'Name the directory to restore to: "log-consumer restore DIRECTORY".');
    }
    const wanted = wantedTime(values);
    const again = 'call it again with the same options, and it goes on where it stopped.';
    const progress = createProgressLine(streams.errors, 'Restoring');
    const report = await withStore(configOf(context), again, ({ store, backup, target, signal }) =>
      restore(
        {
          store,
          target,
          directory,
          wanted,
          instance: textOption(values, 'instance') ?? null,
          concurrency: backup.concurrency,
          now: Date.now(),
          onProgress: (share) => progress.update(share),
        },
        signal,
      ),
    ).finally(() => progress.finish());
    await write(streams.output, values['json'] === true ? `${JSON.stringify(report)}\n` : describe(report));
    return EXIT.ok;
  },
};

function wantedTime(values: OptionValues): TimeRange {
  const from = timeOption(values, 'from', 0) ?? ALWAYS.from;
  const to = timeOption(values, 'to', 86_400_000) ?? ALWAYS.to;
  if (from < to) return { from, to };
  throw new ServiceError('USAGE', '--from has to be before --to.');
}

const DATE = /^\d{4}-\d\d-\d\d$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?$/;

/** @param dayMs what to add to a date without a time */
function timeOption(values: OptionValues, name: string, dayMs: number): number | undefined {
  const text = textOption(values, name);
  if (text === undefined) return undefined;
  const isDate = DATE.test(text);
  const hasZone = isDate || /(Z|[+-]\d\d:\d\d)$/.test(text);
  const time = isDate || TIME.test(text) ? Date.parse(hasZone ? text : `${text}Z`) : Number.NaN;
  if (!Number.isNaN(time)) return isDate ? time + dayMs : time;
  throw new ServiceError(
    'USAGE',
    `--${name} is "${text}", but takes a date or a time such as 2026-11-23 or 2026-11-23T09:00:00Z.`,
  );
}

function describe({
  directory,
  records,
  segments,
  files,
  bytes,
  instances,
  warnings,
}: RestoreReport): string {
  const names = instances.filter((name) => name !== '');
  const where = names.length > 0 ? ` (${names.join(', ')})` : '';
  return [
    `${directory}${where}: ${segments} segments with ${records} stored records; ${files} files with ${bytes} bytes were fetched.`,
    ...warnings,
    `Now run "log-consumer verify ${directory}".`,
    '',
  ].join('\n');
}
