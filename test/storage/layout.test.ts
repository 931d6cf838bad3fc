import assert from 'node:assert/strict';
import { basename } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { LOG_FILES } from '../../src/core/files.ts';
import {
  instanceDirectory,
  parseReplaySegmentName,
  parseSegmentName,
  replaySegmentBaseName,
  SEGMENT_SUFFIX,
  segmentBaseName,
} from '../../src/storage/layout.ts';

test('segment names say file, time and number', () => {
  assert.equal(
    segmentBaseName('service_logs', 42, Date.UTC(2026, 10, 23, 9, 15, 0, 123)),
    'archive/service_logs/date=2026-11-23/service_logs-20261123T091500.123Z-00000042',
  );
});

test('every segment name is taken apart again, and no two segments share one', () => {
  const time = fc.integer({ min: 0, max: Date.UTC(2999, 0, 1) });
  const number = fc.integer({ min: 1, max: 10 ** 10 });
  fc.assert(
    fc.property(fc.constantFrom(...LOG_FILES), number, time, (file, count, closedAtMs) => {
      const base = basename(segmentBaseName(file, count, closedAtMs));
      for (const suffix of Object.values(SEGMENT_SUFFIX)) {
        assert.deepEqual(parseSegmentName(base + suffix), { file, number: count, base, suffix });
      }
      assert.notEqual(base, basename(segmentBaseName(file, count + 1, closedAtMs)));
    }),
  );
});

test('segments of a replay are a series of their own', () => {
  const name = basename(replaySegmentBaseName('audit_logs', 7, Date.UTC(2026, 10, 23)));
  assert.equal(name, 'audit_logs-20261123T000000.000Z-r00000007');
  assert.equal(parseSegmentName(`${name}.jsonl`), undefined);
  assert.deepEqual(parseReplaySegmentName(`${name}.jsonl.gz`), {
    file: 'audit_logs',
    number: 7,
    base: name,
    suffix: '.jsonl.gz',
  });
  const numbered = basename(segmentBaseName('audit_logs', 7, 0));
  assert.equal(parseReplaySegmentName(`${numbered}.jsonl`), undefined);
});

test('other names are not ours', () => {
  for (const name of ['notes.txt', 'service_logs.jsonl', 'service_logs-20261123T091500Z-1.jsonl', '']) {
    assert.equal(parseSegmentName(name), undefined);
  }
});

test('instances that share a root keep apart', () => {
  assert.equal(instanceDirectory('/data', ''), '/data');
  assert.equal(instanceDirectory('/data', 'a'), '/data/instances/a');
});
