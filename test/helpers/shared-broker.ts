/** The variable in which kafka-global.ts leaves its broker's address; not KAFKA_BROKERS, which the service itself reads. */
export const SHARED_BROKER_VARIABLE = 'TEST_KAFKA_BOOTSTRAP';

/** The brokers that whoever runs the tests wants to be used. */
export function givenBrokers(): string | undefined {
  return process.env['KAFKA_BROKERS'] || undefined;
}
