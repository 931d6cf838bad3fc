/** What goes to the dead-letter topic: between the quarantine and Kafka. */

export interface DeadLetter {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** Names may repeat. */
  readonly headers: readonly (readonly [name: string, value: Buffer])[];
}

export interface DeadLetterTopic {
  /**
   * Resolves when all replicas have what could be taken.
   * @returns the indexes of those that are too large for the topic
   * @throws ServiceError BROKER_UNREACHABLE, TLS_FAILED, AUTHENTICATION_FAILED, TOKEN_UNAVAILABLE,
   *   TOPIC_MISSING or KAFKA_FAILED; some may have been taken
   */
  send(letters: readonly DeadLetter[]): Promise<readonly number[]>;
  close(): Promise<void>;
}
