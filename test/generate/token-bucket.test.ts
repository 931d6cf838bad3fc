import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TokenBucket } from '../../src/generate/token-bucket.ts';

describe('TokenBucket', () => {
  it('gives the rate, whatever the steps of the clock', () => {
    let nowMs = 0;
    const bucket = new TokenBucket(20_000, () => nowMs);
    let taken = 0;
    for (let step = 0; nowMs < 5000; step += 1) {
      nowMs += 1 + (step % 40) * 1.7;
      taken += bucket.take(100_000);
    }
    assert.ok(Math.abs(taken / (nowMs / 1000) / 20_000 - 1) < 0.001, `${taken} in ${nowMs} ms`);
  });

  it('never gives more than was asked for and keeps the rest', () => {
    let nowMs = 0;
    const bucket = new TokenBucket(1000, () => nowMs);
    nowMs = 100;
    assert.equal(bucket.take(30), 30);
    assert.equal(bucket.take(100), 70);
    assert.equal(bucket.take(100), 0);
  });

  it('does not answer a long pause with a flood', () => {
    let nowMs = 0;
    const bucket = new TokenBucket(1000, () => nowMs);
    nowMs = 60_000;
    assert.equal(bucket.take(1_000_000), 250);
  });

  it('says how long the next token takes, also below one per second', () => {
    let nowMs = 0;
    const bucket = new TokenBucket(0.5, () => nowMs);
    assert.equal(bucket.take(1), 0);
    assert.equal(bucket.msUntilNext(), 2000);
    nowMs = 2000;
    assert.equal(bucket.take(1), 1);
  });
});
