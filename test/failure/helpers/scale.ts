/**
 * How much of the failure suite runs: bounded figures for every `npm test`, the full ones of
 * docs/failure-report.md with FAILURE_SCALE=full (`npm run test:failure`).
 */
export interface Figures {
  readonly ci: number;
  readonly full: number;
}

export function isFullScale(): boolean {
  return process.env['FAILURE_SCALE'] === 'full';
}

/** The figure for this run. */
export function scaled({ ci, full }: Figures): number {
  return isFullScale() ? full : ci;
}
