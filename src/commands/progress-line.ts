/** One line on a terminal that says how far something is; nothing anywhere else. */
interface ProgressLine {
  /** @param share from 0 to 1 */
  update(share: number): void;
  finish(): void;
}

/** Nothing is shown for what is done within this time. */
const PATIENCE_MS = 1000;
const REDRAW_MS = 100;

export function createProgressLine(
  stream: NodeJS.WritableStream & { readonly isTTY?: boolean },
  what: string,
): ProgressLine {
  const startedAt = performance.now();
  let drawnAt = 0;
  return {
    update(share) {
      const now = performance.now();
      if (stream.isTTY !== true || now - startedAt < PATIENCE_MS || now - drawnAt < REDRAW_MS) return;
      drawnAt = now;
      stream.write(`\r\u001b[K${what} … ${Math.floor(share * 100)} %`);
    },
    finish() {
      if (drawnAt > 0) stream.write('\r\u001b[K');
    },
  };
}
