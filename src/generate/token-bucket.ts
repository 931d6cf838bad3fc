/**
 * A token bucket: tokens arrive at a steady rate and a caller takes as many as have arrived.
 * Tokens not taken are kept up to a quarter of a second's worth, so that a short pause is made up for
 * and a long one (a stalled broker) is not followed by a flood.
 */
const CAPACITY_MS = 250;

export class TokenBucket {
  private readonly tokensPerMs: number;
  private readonly capacity: number;
  private readonly nowMs: () => number;
  private tokens = 0;
  private countedUntilMs: number;

  /**
   * @param ratePerSecond tokens per second, above zero.
   * @param nowMs a clock that never goes back, in milliseconds.
   */
  constructor(ratePerSecond: number, nowMs: () => number) {
    this.tokensPerMs = ratePerSecond / 1000;
    this.capacity = Math.max(1, this.tokensPerMs * CAPACITY_MS);
    this.nowMs = nowMs;
    this.countedUntilMs = nowMs();
  }

  /** Takes up to `wanted` whole tokens and returns how many there were, which may be none. */
  take(wanted: number): number {
    const nowMs = this.nowMs();
    this.tokens = Math.min(this.capacity, this.tokens + (nowMs - this.countedUntilMs) * this.tokensPerMs);
    this.countedUntilMs = nowMs;
    const taken = Math.min(wanted, Math.floor(this.tokens));
    this.tokens -= taken;
    return taken;
  }

  /** Milliseconds until one whole token is there. */
  msUntilNext(): number {
    return Math.max(0, (1 - this.tokens) / this.tokensPerMs);
  }
}
