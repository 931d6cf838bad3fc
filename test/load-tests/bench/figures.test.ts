import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compare, figuresOf, judge, spreadOf } from '../../../load-tests/bench/figures.ts';
import { histogramQuantile } from '../../../load-tests/bench/histogram.ts';

const MIB = 2 ** 20;

function run(seconds: number, cpuSeconds: number, residentMiB: number) {
  const times = { startedMs: 1000, firstOutputMs: 1500, finishedMs: 1000 + seconds * 1000 };
  return figuresOf(
    { ...times, records: 1_000_000, cpuSeconds, peakResidentBytes: residentMiB * MIB, problems: [] },
    1_000_000,
  );
}

describe('figuresOf', () => {
  it('turns times into rates and CPU per record', () => {
    const figures = run(2, 3, 400);
    assert.equal(figures.recordsPerSecond, 500_000);
    assert.equal(figures.recordsPerSecondFromFirstOutput, 666_667);
    assert.equal(figures.cpuMicrosPerRecord, 3);
    assert.equal(figures.peakResidentMiB, 400);
  });
});

describe('spreadOf', () => {
  it('takes the middle of odd and even numbers of values, and nothing of none', () => {
    assert.deepEqual(spreadOf([3, 1, 2]), { min: 1, median: 2, max: 3 });
    assert.deepEqual(spreadOf([4, 1, 2, 3]), { min: 1, median: 2.5, max: 4 });
    assert.equal(spreadOf([]), null);
  });
});

describe('judge', () => {
  it('compares round by round and reaches the goals only on the right side of them', () => {
    const ours = [run(2, 3, 400), run(4, 3, 500)];
    const comparison = compare(ours, [run(6, 6, 200), run(10, 6, 200)]);
    assert.deepEqual(comparison.rateRatio, { min: 2.5, median: 2.75, max: 3 });
    assert.deepEqual(comparison.cpuRatio, { min: 0.5, median: 0.5, max: 0.5 });
    const goals = judge(ours, comparison);
    assert.deepEqual(
      [goals.rateRatio.reached, goals.cpuRatio.reached, goals.residentMiB.reached],
      [true, true, true],
    );
    const worse = judge([run(2, 3, 513)], compare([run(2, 4, 513)], [run(4.9, 6, 200)]));
    assert.deepEqual(
      [worse.rateRatio.reached, worse.cpuRatio.reached, worse.residentMiB.reached],
      [false, false, false],
    );
  });

  it('does not claim what was not measured', () => {
    const goals = judge([run(2, 3, 400)], compare([run(2, 3, 400)], []));
    assert.equal(goals.rateRatio.reached, null);
  });
});

describe('histogramQuantile', () => {
  const metrics = [
    'processing_latency_bucket{le="100",topic="a"} 50',
    'processing_latency_bucket{le="200",topic="a"} 90',
    'processing_latency_bucket{le="+Inf",topic="a"} 100',
    'other_bucket{le="1"} 1000',
  ].join('\n');

  it('interpolates inside the bucket and stops at the highest finite bound', () => {
    assert.equal(histogramQuantile(metrics, 'processing_latency', 0.25), 50);
    assert.equal(histogramQuantile(metrics, 'processing_latency', 0.7), 150);
    assert.equal(histogramQuantile(metrics, 'processing_latency', 0.99), 200);
  });

  it('adds up label sets, and is not a number without observations', () => {
    const twice = `${metrics}\n${metrics.replaceAll('"a"', '"b"')}`;
    assert.equal(histogramQuantile(twice, 'processing_latency', 0.7), 150);
    assert.ok(Number.isNaN(histogramQuantile('', 'processing_latency', 0.5)));
  });
});
