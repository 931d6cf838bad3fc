import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type GeneratedRecord, generateRecords } from '../../src/generate/records.ts';
import { SERVICES } from '../../src/generate/services.ts';

const NOW_MS = Date.UTC(2026, 10, 23, 9, 0, 0, 33);

function take(count: number, seed: number, malformedShare = 0, now = () => NOW_MS): GeneratedRecord[] {
  const source = generateRecords({ seed, malformedShare, now });
  return Array.from({ length: count }, () => source.next().value);
}

function textOf(records: readonly GeneratedRecord[]): string {
  return records.map(({ value }) => value.toString('latin1')).join('\n');
}

describe('generateRecords', () => {
  it('writes the same bytes for the same seed and clock, and others for another seed', () => {
    const text = textOf(take(5000, 11, 0.05));
    assert.equal(textOf(take(5000, 11, 0.05)), text);
    assert.notEqual(textOf(take(5000, 12, 0.05)), text);
  });

  it('differs in nothing but timestamps at another time', () => {
    const withoutTimes = (now: number) =>
      textOf(take(5000, 11, 0, () => now))
        .replaceAll(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d([.,]\d{3})?/g, 'TIME')
        .replaceAll(/"time":\d{13}/g, 'TIME')
        .replaceAll(/"ts":\d+(\.\d+)?/g, 'TIME');
    assert.equal(withoutTimes(NOW_MS), withoutTimes(NOW_MS + 86_400_000));
  });

  it('writes one JSON object of one line per record, naming its service', () => {
    for (const { service, value } of take(20_000, 5)) {
      const text = value.toString();
      assert.ok(!text.includes('\n'));
      assert.equal(typeof JSON.parse(text), 'object');
      // python-json-logger, the OpenTelemetry SDK, ... : each has its own key, all hold the name.
      assert.ok(text.includes(`"${service}"`), text);
    }
  });

  it('lets every service speak, in 13 dialects', () => {
    const heard = new Set(take(20_000, 6).map(({ service }) => service));
    assert.equal(heard.size, SERVICES.length);
    assert.ok(SERVICES.length >= 20);
    assert.equal(new Set(SERVICES.map(({ dialect }) => dialect)).size, 13);
  });

  it('keeps the shares of levels, times, audit events and exceptions', () => {
    const records = take(60_000, 7);
    const own = records
      .filter(({ service }) => ['payments', 'orders', 'ledger'].includes(service))
      .map(({ value }) => value.toString());
    const share = (pattern: RegExp, texts: readonly string[]) =>
      texts.filter((text) => pattern.test(text)).length / texts.length;
    near(share(/"level":"INFO"/, own), 0.8, 0.02);
    near(share(/"level":"DEBUG"/, own), 0.08, 0.01);
    near(share(/"level":"WARN"/, own), 0.07, 0.015);
    near(share(/"level":"ERROR"/, own), 0.045, 0.01);
    near(share(/"level":"FATAL"/, own), 0.005, 0.003);
    near(share(/"stack"/, own), 0.036, 0.01);
    const texts = records.map(({ value }) => value.toString());
    near(share(/duration|responseTime|latency|elapsed|request_time/i, texts), 0.25, 0.02);
    near(share(/"event[._]?type"/i, texts), 0.03, 0.006);
  });

  it('mixes in the share of malformed records that was asked for', () => {
    const broken = take(40_000, 8, 0.1).filter(({ value }) => {
      try {
        JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(value));
        return false;
      } catch {
        return true;
      }
    });
    // Two of the six kinds, arrays and deep nesting, are JSON all the same.
    near(broken.length / 40_000, 0.1 * (4 / 6), 0.008);
  });

  it('is fast enough to feed a benchmark', () => {
    const source = generateRecords({ seed: 1, malformedShare: 0.002, now: Date.now });
    const rates = Array.from({ length: 4 }, () => {
      const startedMs = performance.now();
      for (let record = 0; record < 50_000; record += 1) source.next();
      return 50_000 / ((performance.now() - startedMs) / 1000);
    });
    // 400,000/s on an idle core; the bound is low because tests share their machine.
    assert.ok(Math.max(...rates) > 75_000, `at most ${Math.round(Math.max(...rates))} records/s`);
  });
});

function near(actual: number, expected: number, tolerance: number): void {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected} ± ${tolerance}`);
}
