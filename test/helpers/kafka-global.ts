/** Setup of a whole test run (`node --test --test-global-setup`): one broker that all test files share. */
import { type EmbeddedKafka, startKafka } from '../../scripts/kafka/embedded-kafka.ts';
import { SetupError } from '../../scripts/kafka/java-tools.ts';
import { givenBrokers, SHARED_BROKER_VARIABLE } from './shared-broker.ts';

let broker: EmbeddedKafka | undefined;

/** Called by the test runner before the first test file. */
export async function globalSetup(): Promise<void> {
  if (givenBrokers() !== undefined) return;
  try {
    broker = await startKafka();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
  process.env[SHARED_BROKER_VARIABLE] = broker.bootstrap;
}

/** Called by the test runner after the last test file. */
export async function globalTeardown(): Promise<void> {
  await broker?.stop();
}
