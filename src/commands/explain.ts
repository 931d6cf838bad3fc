import { pipeline } from 'node:stream/promises';
import type { Config } from '../config/config.ts';
import { EXIT, systemCodeOf } from '../core/errors.ts';
import { CATEGORIES } from '../core/files.ts';
import { LEVEL_RANK } from '../core/level.ts';
import { LineBuffer } from '../transform/line-buffer.ts';
import type { RawRecord } from '../transform/raw-record.ts';
import { OUTCOME, RecordTransformer } from '../transform/record-transformer.ts';
import { CONFIG_OPTION, type Command, JSON_OPTION } from './command.ts';
import { configOf } from './config-of.ts';

interface Explanation {
  /** The stored line, to the letter: parsing it would round its numbers. */
  readonly record: string | null;
  readonly categories: readonly string[];
  readonly quarantine: { readonly reason: string; readonly detail: string } | null;
  readonly rules: readonly string[];
  /** Whether ingestion would leave it out, being below the minimum level. */
  readonly filtered: boolean;
}

export const explainCommand: Command = {
  name: 'explain',
  summary: 'Shows what the service makes of log lines: the record, its categories, or why it is quarantined.',
  details: [
    'Reads one record per line from standard input, and uses the very code that ingestion runs.',
    '',
    '  echo \'{"level":30,"time":1709251199999,"msg":"hello"}\' | log-consumer explain',
  ],
  options: { config: CONFIG_OPTION, json: JSON_OPTION },
  async run(context) {
    const explain = createExplainer(configOf(context));
    const { values, streams } = context;
    const print = values['json'] === true ? asJson : describe;
    const explained = async function* (lines: AsyncIterable<Buffer>): AsyncGenerator<string> {
      for await (const line of lines) yield print(explain(line));
    };
    try {
      await pipeline(linesOf(streams.input), explained, streams.output, { end: false });
    } catch (error) {
      // A reader that has seen enough, such as head, is no failure.
      if (systemCodeOf(error) !== 'EPIPE') throw error;
    }
    return EXIT.ok;
  },
};

function createExplainer(config: Config): (line: Uint8Array) => Explanation {
  const { maxRecordBytes, maxDepth } = config.transform;
  const transformer = new RecordTransformer({
    minLevel: 'TRACE',
    maxRecordBytes,
    maxDepth,
    categories: config.categories,
  });
  const minRank = LEVEL_RANK[config.output.minLevel];
  let offset = 0;
  return (line) => {
    const lines = new LineBuffer(new ArrayBuffer(line.length + 1024));
    const quarantine = new LineBuffer(new ArrayBuffer(1024));
    const outcome = transformer.transform(
      recordOf(line, offset),
      { topic: config.kafka.topic, partition: 0 },
      lines,
      quarantine,
    );
    offset += 1;
    if (outcome === OUTCOME.quarantined) {
      const { reason, detail } = JSON.parse(textOf(quarantine)) as { reason: string; detail: string };
      return { record: null, categories: [], quarantine: { reason, detail }, rules: [], filtered: false };
    }
    const categories = CATEGORIES.filter((_, bit) => (transformer.categories & (1 << bit)) !== 0);
    return {
      record: textOf(lines).trimEnd(),
      categories: ['service_logs', ...categories],
      quarantine: null,
      rules: [],
      filtered: transformer.levelRank < minRank,
    };
  };
}

function textOf(buffer: LineBuffer): string {
  return Buffer.from(buffer.bytes.subarray(0, buffer.length)).toString();
}

/** As if the line were the value of a Kafka record that was produced now. */
function recordOf(line: Uint8Array, offset: number): RawRecord {
  return {
    bytes: line,
    offset,
    timestamp: Date.now(),
    keyStart: -1,
    keyEnd: -1,
    valueStart: 0,
    valueEnd: line.length,
    headersStart: 0,
    headersEnd: 0,
    headerCount: 0,
  };
}

/** The lines of a stream as bytes, since a line may be anything but text. */
async function* linesOf(input: NodeJS.ReadableStream): AsyncGenerator<Buffer> {
  let rest: Buffer[] = [];
  for await (const part of input) {
    const chunk = Buffer.from(part);
    let start = 0;
    for (let end = chunk.indexOf(0x0a); end !== -1; end = chunk.indexOf(0x0a, start)) {
      yield Buffer.concat([...rest, chunk.subarray(start, end)]);
      rest = [];
      start = end + 1;
    }
    if (start < chunk.length) rest.push(chunk.subarray(start));
  }
  if (rest.length > 0) yield Buffer.concat(rest);
}

function asJson({ record, ...rest }: Explanation): string {
  return `{"record":${record ?? 'null'},${JSON.stringify(rest).slice(1)}\n`;
}

function describe(explanation: Explanation): string {
  const { record, categories, quarantine, filtered } = explanation;
  if (quarantine !== null) return `quarantined as ${quarantine.reason}: ${quarantine.detail}\n\n`;
  const note = filtered ? ' (below the minimum level: counted, not stored)' : '';
  return `${record}\n→ ${categories.join(', ')}${note}\n\n`;
}
