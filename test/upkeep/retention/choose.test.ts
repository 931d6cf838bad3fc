import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LOG_FILES, type LogFile } from '../../../src/core/files.ts';
import { type Candidate, type Candidates, chooseSegments } from '../../../src/upkeep/retention/choose.ts';
import { KEEP_ALL } from '../../helpers/retention-policy.ts';

/** One segment of 10 bytes for each time at which one was closed. */
function candidatesOf(closed: Partial<Record<LogFile, readonly number[]>>): Candidates {
  const entries = LOG_FILES.map((file): [LogFile, Candidate[]] => [
    file,
    (closed[file] ?? []).map((closedAtMs, index) => ({
      file,
      number: index + 1,
      path: `${file}-${index + 1}`,
      closedAtMs,
      bytes: 10,
    })),
  ]);
  return Object.fromEntries(entries) as unknown as Candidates;
}

function chosen(
  closed: Partial<Record<LogFile, readonly number[]>>,
  maxAgeMs: Partial<Record<LogFile, number>>,
  nowMs: number,
  bytesToFree = 0,
): { paths: string[]; lackingBytes: number } {
  const policy = { maxAgeMs: { ...KEEP_ALL.maxAgeMs, ...maxAgeMs } };
  const { segments, lackingBytes } = chooseSegments(candidatesOf(closed), policy, nowMs, bytesToFree);
  return { paths: segments.map(({ path }) => path), lackingBytes };
}

test('what is as old as its limit goes, each kind by its own', () => {
  const closed = { service_logs: [0, 50, 90], audit_logs: [0, 50, 90], error_logs: [0] };
  const { paths } = chosen(closed, { service_logs: 50, audit_logs: 100 }, 100);
  assert.deepEqual(paths.toSorted(), ['audit_logs-1', 'service_logs-1', 'service_logs-2']);
});

test('room is made by what would go next, and what is kept for ever comes last', () => {
  const closed = { service_logs: [0, 10], audit_logs: [0], error_logs: [5, 6] };
  const ages = { service_logs: 100, audit_logs: 105 };
  assert.deepEqual(chosen(closed, ages, 20, 25), {
    paths: ['service_logs-1', 'audit_logs-1', 'service_logs-2'],
    lackingBytes: 0,
  });
  assert.deepEqual(chosen(closed, ages, 20, 35).paths.at(-1), 'error_logs-1');
});

test('what cannot be freed is told', () => {
  assert.deepEqual(chosen({ service_logs: [0] }, {}, 0, 25), { paths: ['service_logs-1'], lackingBytes: 15 });
  assert.deepEqual(chosen({}, {}, 0, 1), { paths: [], lackingBytes: 1 });
});

test('what goes for its age counts towards the room', () => {
  assert.deepEqual(chosen({ service_logs: [0, 1, 2] }, { service_logs: 1 }, 2, 15).paths, [
    'service_logs-1',
    'service_logs-2',
  ]);
});

test('of each kind a beginning goes, whatever the clock said when they were closed', () => {
  const times = fc.array(fc.integer({ min: 0, max: 100 }), { maxLength: 8 });
  const age = fc.option(fc.integer({ min: 0, max: 100 }), { nil: undefined });
  fc.assert(
    fc.property(times, times, age, fc.integer({ min: 0, max: 200 }), (service, audit, maxAge, bytes) => {
      const ages = maxAge === undefined ? {} : { service_logs: maxAge };
      const { paths } = chosen({ service_logs: service, audit_logs: audit }, ages, 100, bytes);
      for (const file of ['service_logs', 'audit_logs']) {
        const numbers = paths.filter((path) => path.startsWith(file));
        assert.deepEqual(
          numbers,
          numbers.map((_, index) => `${file}-${index + 1}`),
        );
      }
    }),
  );
});
