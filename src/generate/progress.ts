/** Progress of `generate` for a person: one line on a terminal that is rewritten, and a closing sentence. */
import type { GenerateProgress } from './generate.ts';

const REDRAW_MS = 500;

interface ProgressOutput {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

export interface ProgressReporter {
  /** Draws the line anew, at most twice a second, and only on a terminal. */
  update(progress: GenerateProgress): void;
  /** Writes the final count, on a terminal or not. */
  finish(progress: GenerateProgress): void;
}

/** @param output normally standard error, so that records on standard output stay clean. */
export function createProgressReporter(output: ProgressOutput): ProgressReporter {
  let drawnAtMs = 0;
  const eraseLine = output.isTTY === true ? '\r\x1b[K' : '';
  return {
    update(progress) {
      if (output.isTTY !== true || progress.elapsedMs - drawnAtMs < REDRAW_MS) return;
      drawnAtMs = progress.elapsedMs;
      output.write(`${eraseLine}${describe(progress)}`);
    },
    finish(progress) {
      output.write(`${eraseLine}Generated ${describe(progress)}.\n`);
    },
  };
}

function describe({ records, bytes, elapsedMs }: GenerateProgress): string {
  const seconds = elapsedMs / 1000;
  const rate = seconds > 0 ? Math.round(records / seconds) : 0;
  return `${records.toLocaleString('en')} records, ${(bytes / 1e6).toFixed(1)} MB in ${seconds.toFixed(1)} s (${rate.toLocaleString('en')}/s)`;
}
