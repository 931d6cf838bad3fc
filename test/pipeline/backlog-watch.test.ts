import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BacklogWatch } from '../../src/pipeline/backlog-watch.ts';

test('a backlog is caught up once, and a few records are none', () => {
  const watch = new BacklogWatch();
  watch.saw(9_999);
  assert.equal(watch.caughtUp(), false);
  watch.saw(10_000);
  watch.saw(0);
  assert.equal(watch.caughtUp(), true);
  assert.equal(watch.caughtUp(), false);
});
