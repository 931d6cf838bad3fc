import { EXIT } from '../core/errors.ts';
import { type VerifyReport, verify } from '../upkeep/verify.ts';
import { CONFIG_OPTION, type Command, JSON_OPTION, write } from './command.ts';
import { configOf } from './config-of.ts';
import { createProgressLine } from './progress-line.ts';

export const verifyCommand: Command = {
  name: 'verify',
  summary: 'Accounts for every consumed offset and checks every file against its checksum.',
  details: [
    'DIRECTORY defaults to the configured output directory, with all instances that share it. It can be',
    'checked while the service runs.',
    'Exits 0 when everything fits, 1 when something does not.',
  ],
  positional: 'DIRECTORY',
  options: { config: CONFIG_OPTION, json: JSON_OPTION },
  async run(context) {
    const { values, positionals, streams } = context;
    const directory = positionals[0] ?? configOf(context).output.directory;
    const progress = createProgressLine(streams.errors, 'Verifying');
    const report = await verify(directory, (share) => progress.update(share));
    progress.finish();
    const text = values['json'] === true ? `${JSON.stringify(report)}\n` : describe(directory, report);
    await write(streams.output, text);
    return report.ok ? EXIT.ok : EXIT.failed;
  },
};

function describe(directory: string, report: VerifyReport): string {
  const partitions = Object.entries(report.partitions).map(([key, entry]) => {
    const lost = entry.lost.map((range) => `, ${describeLoss(range)}`).join('');
    const uncertain = entry.uncertain
      .map(({ from, to }) => `, offsets ${from} to ${to - 1} perhaps also in another instance's files`)
      .join('');
    return `  ${key}: offset ${entry.first_offset} up to ${entry.next_offset}, ${entry.consumed} records, ${entry.absent} offsets without a record${lost}${uncertain}`;
  });
  const instances = report.instances.length > 1 ? `, ${report.instances.length} instances` : '';
  const verdict = report.ok ? 'Everything fits.' : 'Problems:';
  const replayed = report.replayed === 0 ? '' : ` (${report.replayed} of them replayed since)`;
  return [
    `${directory}${instances}: ${report.records} records stored, ${report.quarantined} quarantined${replayed}, ${report.filtered} below the minimum level.`,
    ...partitions,
    ...describeRemoved(report),
    verdict,
    ...report.problems.map((problem) => `  ${problem}`),
    '',
  ].join('\n');
}

function describeRemoved({ removed, leftovers }: VerifyReport): string[] {
  const lines: string[] = [];
  if (removed.segments > 0) {
    lines.push(`  Not here on purpose: ${removed.segments} segments with ${removed.records} stored records.`);
  }
  if (leftovers.length > 0) {
    lines.push(`  Left by an interrupted removal, not counted: ${leftovers.join(', ')}.`);
  }
  return lines;
}

/** A topic that was created again begins anew, so its offsets go back. */
function describeLoss({ from, to, reason }: { from: number; to: number; reason: string }): string {
  if (reason === 'stored_by_others') return `offsets ${from} to ${to - 1} stored by another instance`;
  return to < from
    ? `went back from offset ${from} to ${to} (${reason})`
    : `offsets ${from} to ${to - 1} given up (${reason})`;
}
