/** The variable in which kafka-global.ts leaves its broker's address; not KAFKA_BROKERS, which the service itself reads. */
export const SHARED_BROKER_VARIABLE = 'TEST_KAFKA_BOOTSTRAP';
