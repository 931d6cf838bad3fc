/** When an active file is closed and moved to the archive. */
export interface RotationPolicy {
  readonly maxFileBytes: number;
  readonly maxFileAgeMs: number;
}

export interface SegmentState {
  readonly length: number;
  readonly openedAtMs: number;
}

/**
 * Whether the segment must be rotated before `incomingBytes` are appended. An empty segment never is,
 * so that a unit larger than the limit still finds a place, and an idle service makes no empty files.
 * A clock that jumped back makes the age negative, which rotates nothing.
 */
export function mustRotate(
  segment: SegmentState,
  incomingBytes: number,
  nowMs: number,
  policy: RotationPolicy,
): boolean {
  if (segment.length === 0) return false;
  if (segment.length + incomingBytes > policy.maxFileBytes) return true;
  return nowMs - segment.openedAtMs >= policy.maxFileAgeMs;
}
