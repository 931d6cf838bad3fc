import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BacklogWatch } from '../../src/pipeline/backlog-watch.ts';

function watched(): { watch: BacklogWatch; wait: (milliseconds: number) => void } {
  let now = 0;
  const watch = new BacklogWatch({ now: () => now, monotonic: () => now });
  return {
    watch,
    wait: (milliseconds) => {
      now += milliseconds;
    },
  };
}

test('it is quiet only some time after the last backlog and the last pile of tasks', () => {
  const { watch, wait } = watched();
  assert.equal(watch.isQuiet(false), false, 'nothing is known right after the start');
  wait(2000);
  assert.equal(watch.isQuiet(false), true);
  assert.equal(watch.isQuiet(true), false);
  wait(1999);
  assert.equal(watch.isQuiet(false), false);
  wait(1);
  assert.equal(watch.isQuiet(false), true);
  watch.saw(10_000);
  assert.equal(watch.isQuiet(false), false);
});

test('a backlog is caught up once, and a few records are none', () => {
  const { watch } = watched();
  watch.saw(9_999);
  assert.equal(watch.caughtUp(), false);
  watch.saw(10_000);
  watch.saw(0);
  assert.equal(watch.caughtUp(), true);
  assert.equal(watch.caughtUp(), false);
});
