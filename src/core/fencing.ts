/** Answers of a broker for which the group has moved on. Source: Kafka protocol guide, error codes. */
const FENCED: ReadonlySet<unknown> = new Set([
  'REBALANCE_IN_PROGRESS',
  'ILLEGAL_GENERATION',
  'UNKNOWN_MEMBER_ID',
  'FENCED_INSTANCE_ID',
]);

/** Whether an error is Kafka's word for: this member or this generation is not the group's any more. */
export function isFenced(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'type' in error && FENCED.has(error.type);
}
