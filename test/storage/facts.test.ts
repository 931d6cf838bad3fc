import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OTHER_SERVICES } from '../../src/core/services.ts';
import { addTotals, FactsAccumulator, NO_FACTS, NO_TOTALS } from '../../src/storage/facts.ts';

test('facts add up: earliest, latest, levels, services', () => {
  const facts = new FactsAccumulator();
  facts.add({ minTimestamp: 50, maxTimestamp: 60, levels: [0, 0, 2, 0, 0, 0], services: { a: 2 } });
  facts.add(NO_FACTS);
  facts.add({ minTimestamp: 10, maxTimestamp: 55, levels: [1, 0, 0, 0, 1, 0], services: { a: 1, b: 1 } });
  const sum = { minTimestamp: 10, maxTimestamp: 60, levels: [1, 0, 2, 0, 1, 0], services: { a: 3, b: 1 } };
  assert.deepEqual(facts.snapshot(), sum);
  assert.deepEqual(new FactsAccumulator(facts.snapshot()).snapshot(), sum);
});

test('a snapshot stays as it is', () => {
  const facts = new FactsAccumulator();
  const before = facts.snapshot();
  facts.add({ minTimestamp: 1, maxTimestamp: 1, levels: [1, 0, 0, 0, 0, 0], services: { a: 1 } });
  assert.deepEqual(before, NO_FACTS);
});

test('the number of named services is bounded, and none of their records is forgotten', () => {
  const facts = new FactsAccumulator();
  for (let round = 0; round < 2; round += 1) {
    for (let number = 0; number < 1500; number += 1)
      facts.add({ ...NO_FACTS, services: { [`s${number}`]: 1 } });
  }
  const { services } = facts.snapshot();
  assert.equal(Object.keys(services).length, 1001);
  assert.deepEqual([services['s0'], services['s999'], services[OTHER_SERVICES]], [2, 2, 1000]);
  facts.add({ ...NO_FACTS, services: { [OTHER_SERVICES]: 5 } });
  assert.equal(facts.snapshot().services[OTHER_SERVICES], 1005);
});

test('a service may have any name', () => {
  const facts = new FactsAccumulator();
  const services = JSON.parse('{"__proto__":2,"constructor":1}') as Record<string, number>;
  facts.add({ ...NO_FACTS, services });
  const text = JSON.stringify(facts.snapshot().services);
  assert.equal(text, '{"__proto__":2,"constructor":1}');
});

test('totals add up', () => {
  const one = { consumed: 6, written: 3, filtered: 2, quarantined: 1 };
  assert.deepEqual(addTotals(addTotals(NO_TOTALS, one), one), {
    consumed: 12,
    written: 6,
    filtered: 4,
    quarantined: 2,
  });
});
