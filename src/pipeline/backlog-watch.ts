/** Knows whether ingestion is behind: the end of that is worth a checkpoint. */

/** Less than this waiting in Kafka is not a backlog: one fetch brings it. */
const BACKLOG_RECORDS = 10_000;

export class BacklogWatch {
  #isBehind = false;

  /** @param unread records that wait in Kafka */
  saw(unread: number): void {
    if (unread >= BACKLOG_RECORDS) this.#isBehind = true;
  }

  /** Nothing waits in Kafka or here. @returns true once after each backlog */
  caughtUp(): boolean {
    const wasBehind = this.#isBehind;
    this.#isBehind = false;
    return wasBehind;
  }
}
