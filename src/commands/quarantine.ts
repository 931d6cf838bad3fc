import { EXIT, ServiceError, systemCodeOf } from '../core/errors.ts';
import { QUARANTINE_REASONS } from '../core/quarantine.ts';
import {
  type QuarantineLine,
  type QuarantineSummary,
  quarantineLines,
  type ReasonSummary,
  summariseQuarantine,
} from '../upkeep/quarantine-summary.ts';
import { instancesOf, newestView, type Subject } from '../upkeep/settled-view.ts';
import {
  CONFIG_OPTION,
  type Command,
  type CommandContext,
  type CommandOption,
  JSON_OPTION,
  numberOption,
  type OptionValues,
  textOption,
  write,
} from './command.ts';
import { configOf } from './config-of.ts';

/** Entries that are printed for people when nobody says how many. */
const DEFAULT_LIMIT = 20;
/** Bytes of a value that are shown to people. */
const SHOWN_BYTES = 200;

export const REASON_OPTION: CommandOption = {
  type: 'string',
  argument: 'REASON',
  help: `only entries with this reason: ${QUARANTINE_REASONS.slice(0, 4).join(', ')}, …`,
};

export const quarantineCommand: Command = {
  name: 'quarantine',
  summary: 'Lists what could not be accepted: counts by reason, or the entries themselves.',
  details: [
    'DIRECTORY defaults to the configured output directory, with all instances that share it. Can be used',
    'while the service runs.',
    '',
    '  log-consumer quarantine                                  counts, times and examples of each reason',
    '  log-consumer quarantine --reason too_large --limit 5     the first entries',
    '  log-consumer quarantine --reason not_json --json | jq    all of them, as they stand in the files',
  ],
  positional: 'DIRECTORY',
  options: {
    config: CONFIG_OPTION,
    reason: REASON_OPTION,
    limit: {
      type: 'string',
      argument: 'N',
      help: `print at most so many entries (default: ${DEFAULT_LIMIT}; with --json all)`,
    },
    json: JSON_OPTION,
  },
  async run(context) {
    const { values, positionals } = context;
    const reason = reasonOption(values);
    const limit = numberOption(values, 'limit', { min: 1, max: 1e12, integer: true });
    const directory = positionals[0] ?? configOf(context).output.directory;
    const view = await newestView(instancesOf(directory));
    try {
      if (reason === undefined && limit === undefined) {
        await printSummary(context, directory, await summariseQuarantine(view.subjects));
      } else {
        await printEntries(context, view.subjects, reason, limit);
      }
    } catch (error) {
      // A reader that has seen enough, such as head, is no failure.
      if (systemCodeOf(error) !== 'EPIPE') throw error;
    } finally {
      view.close();
    }
    return EXIT.ok;
  },
};

/** @throws ServiceError USAGE when there is no such reason */
export function reasonOption(values: OptionValues): string | undefined {
  const reason = textOption(values, 'reason');
  const reasons: readonly string[] = QUARANTINE_REASONS;
  if (reason === undefined || reasons.includes(reason)) return reason;
  throw new ServiceError('USAGE', `There is no reason "${reason}"; the reasons are ${reasons.join(', ')}.`);
}

async function printSummary(
  { values, streams }: CommandContext,
  directory: string,
  summary: QuarantineSummary,
): Promise<void> {
  const text = values['json'] === true ? `${JSON.stringify(summary)}\n` : describeSummary(directory, summary);
  await write(streams.output, text);
}

async function printEntries(
  { values, streams }: CommandContext,
  subjects: readonly Subject[],
  reason: string | undefined,
  limit: number | undefined,
): Promise<void> {
  const json = values['json'] === true;
  const most = limit ?? (json ? Number.POSITIVE_INFINITY : DEFAULT_LIMIT);
  let [printed, left] = [0, 0];
  for await (const line of quarantineLines(subjects)) {
    if (reason !== undefined && line.entry?.reason !== reason) continue;
    if (printed === most) {
      left = 1;
      break;
    }
    await write(streams.output, json ? `${line.line.toString()}\n` : describeEntry(line));
    printed += 1;
  }
  if (json) return;
  if (printed === 0) await write(streams.output, 'No such entries.\n');
  if (left > 0) await write(streams.output, `… and more; --limit ${most * 10} shows more of them.\n`);
}

function describeSummary(directory: string, summary: QuarantineSummary): string {
  const { records, entries, replayed, unreadable, reasons, instances } = summary;
  const from = instances.length > 1 ? `, ${instances.length} instances` : '';
  if (entries === 0 && unreadable === 0) return `${directory}${from}: the quarantine is empty.\n`;
  const lines = entries === records ? '' : ` in ${entries} entries`;
  const since = replayed === 0 ? '' : `, ${replayed} of them replayed since`;
  const strange =
    unreadable === 0 ? [] : [`  ${unreadable} lines are not entries: run "log-consumer verify".`];
  return [
    `${directory}${from}: ${records} records quarantined${lines}${since}.`,
    ...Object.entries(reasons).flatMap(([reason, of]) => describeReason(reason, of)),
    ...strange,
    '',
  ].join('\n');
}

function describeReason(reason: string, summary: ReasonSummary): string[] {
  const { records, entries, replayed, first, last, examples } = summary;
  const inEntries = entries === records ? '' : ` in ${entries} entries`;
  const since = replayed === 0 ? '' : `, ${replayed} replayed`;
  const times = first === null ? '' : `, ${first} to ${last}`;
  return [
    `  ${reason}: ${records}${inEntries}${since}${times}`,
    ...examples.map(
      ({ topic, partition, offset, detail }) =>
        `    ${topic}/${partition} offset ${offset}: ${printable(detail)}`,
    ),
  ];
}

function describeEntry({ line, entry }: QuarantineLine): string {
  if (entry === undefined) return `(not an entry) ${printable(line.toString('utf8', 0, SHOWN_BYTES))}\n\n`;
  const { reason, detail, topic, partition, offset, lastOffset, timestamp, key } = entry;
  const offsets = lastOffset === offset ? `offset ${offset}` : `offsets ${offset} to ${lastOffset}`;
  const time = timestamp < 0 ? '' : `, ${new Date(timestamp).toISOString()}`;
  const raw = entry.raw();
  return [
    `${topic}/${partition} ${offsets}${time}: ${reason}: ${printable(detail)}`,
    ...(key === null ? [] : [`  key ${shown(key)}`]),
    `  ${raw === null ? '(no value)' : shown(raw)}`,
    '',
    '',
  ].join('\n');
}

/** The beginning of some bytes as text that a terminal can take. */
function shown(bytes: Uint8Array): string {
  const more = bytes.length > SHOWN_BYTES ? ` … (${bytes.length} bytes)` : '';
  return `${printable(Buffer.from(bytes.subarray(0, SHOWN_BYTES)).toString())}${more}`;
}

/** Producers choose these characters, so none may command the terminal. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
