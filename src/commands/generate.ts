import { EXIT } from '../core/errors.ts';
import { type GenerateOptions, runGenerate } from '../generate/generate.ts';
import { createProgressReporter } from '../generate/progress.ts';
import { CONFIG_OPTION, type Command, type CommandContext, numberOption, textOption } from './command.ts';
import { configOf } from './config-of.ts';
import { onStopSignal } from './signals.ts';

export const generateCommand: Command = {
  name: 'generate',
  summary: 'Produces realistic log records of many logging libraries, to Kafka or to standard output.',
  details: [
    '  log-consumer generate --rate 1000 --count 10000',
    '  log-consumer generate --stdout --count 5 --seed 7 | log-consumer explain',
  ],
  options: {
    config: CONFIG_OPTION,
    brokers: { type: 'string', argument: 'LIST', help: 'brokers (default: as configured)' },
    topic: { type: 'string', argument: 'NAME', help: 'topic (default: as configured)' },
    'create-topic': {
      type: 'string',
      argument: 'PARTITIONS',
      help: 'create the topic when it is missing, with so many partitions',
    },
    rate: { type: 'string', argument: 'N', help: 'records per second, or "max" (default: 1000)' },
    count: {
      type: 'string',
      argument: 'N',
      help: 'stop after so many records (default: go on until stopped)',
    },
    seed: {
      type: 'string',
      argument: 'N',
      help: 'the same seed gives the same records, apart from times (default: 1)',
    },
    malformed: {
      type: 'string',
      argument: 'SHARE',
      help: 'share of malformed records, 0 to 1 (default: 0.001)',
    },
    'round-robin': { type: 'boolean', help: 'spread over the partitions instead of keying by service' },
    stdout: { type: 'boolean', help: 'print the records, one per line, instead of producing them' },
  },
  async run(context) {
    const stop = new AbortController();
    const release = onStopSignal(() => stop.abort());
    const reporter = createProgressReporter(context.streams.errors);
    try {
      const done = await runGenerate(optionsOf(context, stop.signal), (progress) =>
        reporter.update(progress),
      );
      reporter.finish(done);
      return EXIT.ok;
    } finally {
      release();
    }
  },
};

function optionsOf(context: CommandContext, signal: AbortSignal): GenerateOptions {
  const { values } = context;
  const rate =
    textOption(values, 'rate') === 'max'
      ? 'max'
      : numberOption(values, 'rate', { min: 0.1, max: 1e7, integer: false });
  return {
    target: targetOf(context),
    rate: rate ?? 1000,
    count: numberOption(values, 'count', { min: 0, max: 1e12, integer: true }) ?? Number.POSITIVE_INFINITY,
    seed: numberOption(values, 'seed', { min: 0, max: 2 ** 32 - 1, integer: true }) ?? 1,
    malformedShare: numberOption(values, 'malformed', { min: 0, max: 1, integer: false }) ?? 0.001,
    signal,
  };
}

function targetOf(context: CommandContext): GenerateOptions['target'] {
  const { values, streams } = context;
  if (values['stdout'] === true) return { kind: 'stream', stream: streams.output as NodeJS.WriteStream };
  const { kafka } = configOf(context);
  return {
    kind: 'kafka',
    brokers: textOption(values, 'brokers')?.split(',') ?? kafka.brokers,
    tls: kafka.tls,
    sasl: kafka.sasl,
    topic: textOption(values, 'topic') ?? kafka.topic,
    key: values['round-robin'] === true ? 'none' : 'service',
    createPartitions: numberOption(values, 'create-topic', { min: 1, max: 10_000, integer: true }) ?? null,
  };
}
