import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type CategoryRules, DEFAULT_CATEGORY_RULES } from '../../src/core/category-rules.ts';
import { generateRecords } from '../../src/generate/records.ts';
import { LineBuffer } from '../../src/transform/line-buffer.ts';
import { LineFactsCounter } from '../../src/transform/line-facts.ts';
import { OUTCOME, RecordTransformer } from '../../src/transform/record-transformer.ts';
import { StoredLineClassifier } from '../../src/transform/stored-line-classifier.ts';
import { OPTIONS, rawRecord } from './helpers/transform-text.ts';

const CORPUS = new URL('../fixtures/corpus/lines/', import.meta.url);
const MAX_DEPTH = 1000;

/** Judges what ingestion stores of the records, and compares with what ingestion itself said of them. */
function compare(values: Iterable<Buffer>, categories: CategoryRules = DEFAULT_CATEGORY_RULES): number {
  const transformer = new RecordTransformer({ ...OPTIONS, minLevel: 'TRACE', categories });
  const classifier = new StoredLineClassifier(categories, MAX_DEPTH);
  const facts = new LineFactsCounter();
  let lines = 0;
  for (const value of values) {
    const stored = new LineBuffer(new ArrayBuffer(value.length + 1024));
    const source = { topic: 't', partition: 0 };
    const outcome = transformer.transform(
      rawRecord({ value }),
      source,
      stored,
      new LineBuffer(new ArrayBuffer(1024)),
    );
    if (outcome !== OUTCOME.written) continue;
    lines += 1;
    const text = Buffer.from(stored.bytes.subarray(0, stored.length)).toString();
    assert.ok(classifier.judge(stored.bytes, 0, stored.length - 1), text);
    assert.equal(classifier.categories, transformer.categories, text);
    facts.add(transformer.timestampMs, transformer.levelRank, transformer.serviceId);
  }
  assert.deepEqual(
    classifier.facts.facts((id) => classifier.serviceName(id)),
    facts.facts((id) => transformer.serviceName(id)),
  );
  return lines;
}

test('stored lines of all logging libraries belong where ingestion put them, and give the same facts', () => {
  const lines = readdirSync(CORPUS).flatMap((file) =>
    readFileSync(new URL(file, CORPUS), 'utf8')
      .split('\n')
      .filter((line) => line !== ''),
  );
  assert.ok(compare(lines.map((line) => Buffer.from(line))) > 1000);
});

test('so do generated records', () => {
  const records = generateRecords({ seed: 11, malformedShare: 0.01, now: () => Date.UTC(2026, 10, 24) });
  const values = Array.from({ length: 20_000 }, () => records.next().value.value);
  assert.ok(compare(values) > 19_000);
});

test('rules of the configuration reach the canonical fields, too', () => {
  const rules = {
    ...DEFAULT_CATEGORY_RULES,
    audit_logs: { ...DEFAULT_CATEGORY_RULES.audit_logs, values: { service: ['Vault'], level: ['warn'] } },
    performance_logs: { ...DEFAULT_CATEGORY_RULES.performance_logs, fields: ['request_id'] },
  };
  const values = [
    '{"service":"vault","message":"opened"}',
    '{"service":"web","message":"opened","level":"WARN"}',
    '{"service":"web","message":"served","request_id":"r1"}',
    '{"service":"web","message":"served"}',
    '{"service":"web","message":"failed","level":"ERROR","stack":"Error: x\\n    at y"}',
    '{"service":"web","message":"failed","error_class":"timeout"}',
  ];
  assert.equal(
    compare(
      values.map((value) => Buffer.from(value)),
      rules,
    ),
    values.length,
  );
});

const FOREIGN = [
  '{"timestamp":"2026-11-23","service":"s","level":"INFO"}',
  '{"timestamp":"2026-11-23T09:00:00.123Z","service":"s","level":"info"}',
  '{"timestamp":"2026-11-23T09:00:00.123Z","level":"INFO"}',
  '{"timestamp":"2026-11-23T09:00:00.123Z","service":"s","level":"INFO","extra":{},"x":{}}',
  '{"timestamp":"2026-11-23T09:00:00.123Z","service":"s","level":"INFO","extra":{"a":}}',
];

for (const text of FOREIGN) {
  test(`${text} is no line of ours`, () => {
    const bytes = Buffer.from(text);
    assert.equal(
      new StoredLineClassifier(DEFAULT_CATEGORY_RULES, MAX_DEPTH).judge(bytes, 0, bytes.length),
      false,
    );
  });
}
