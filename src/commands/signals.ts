const STOP_SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** A terminal and a launcher may both pass on one Ctrl-C; only what comes later is a second signal. */
const REPEAT_MS = 500;

/**
 * Calls `onStop` at the first signal to stop; a second one ends the process at once, with the exit code
 * a shell expects of a killed program.
 * @returns a function that puts the default behaviour back
 */
export function onStopSignal(
  onStop: (signal: string) => void,
  onForce: (signal: string) => void = () => undefined,
): () => void {
  let stoppedAt: number | undefined;
  const listener = (signal: NodeJS.Signals): void => {
    const now = performance.now();
    if (stoppedAt !== undefined && now - stoppedAt < REPEAT_MS) return;
    if (stoppedAt !== undefined) {
      onForce(signal);
      process.exit(signal === 'SIGINT' ? 130 : 143);
    }
    stoppedAt = now;
    onStop(signal);
  };
  for (const signal of STOP_SIGNALS) process.on(signal, listener);
  return () => {
    for (const signal of STOP_SIGNALS) process.off(signal, listener);
  };
}
