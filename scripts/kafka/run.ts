/** `npm run kafka`: a broker in the foreground until Ctrl-C. */
import { startKafka } from './embedded-kafka.ts';
import { SetupError } from './java-tools.ts';

const DEFAULT_PORT = 9092;

async function main(): Promise<number> {
  const port = Number(process.env['KAFKA_PORT'] ?? DEFAULT_PORT);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    process.stderr.write(
      `KAFKA_PORT is "${process.env['KAFKA_PORT']}" and must be a port from 1 to 65535.\n`,
    );
    return 2;
  }
  let stopping = false;
  const interrupted = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        stopping = true;
        resolve();
      });
    }
  });
  const kafka = await startKafka({ port });
  process.stdout.write(`kafka ready on ${kafka.bootstrap}\n`);
  const ending = kafka.ended();
  await Promise.race([interrupted, ending]);
  await kafka.stop();
  if (stopping) return 0;
  process.stderr.write(`Kafka ${await ending}\n`);
  return 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
