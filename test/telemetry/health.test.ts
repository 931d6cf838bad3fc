import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Health } from '../../src/telemetry/health.ts';

test('not ready until the consumer group was joined, but alive', () => {
  const health = new Health();
  assert.deepEqual(health.ready(), {
    ready: false,
    reasons: ['consumer: has not joined the consumer group yet'],
    degraded: [],
  });
  assert.deepEqual(health.live(), { live: true, reasons: [] });
  health.set('consumer', { kind: 'ready' });
  assert.deepEqual(health.ready(), { ready: true, reasons: [], degraded: [] });
});

test('every component that is not ready gives a reason', () => {
  const health = new Health();
  health.set('disk', { kind: 'blocked', reason: 'ENOSPC' });
  health.set('process', { kind: 'stopping', reason: 'stopping on SIGTERM' });
  const { ready, reasons } = health.ready();
  assert.equal(ready, false);
  assert.deepEqual(reasons, [
    'process: stopping on SIGTERM',
    'consumer: has not joined the consumer group yet',
    'disk: ENOSPC',
  ]);
  assert.equal(health.live().live, true);
});

test('a failure is final', () => {
  const health = new Health();
  health.set('process', { kind: 'failed', reason: 'fsync failed' });
  health.set('process', { kind: 'ready' });
  assert.deepEqual(health.live(), { live: false, reasons: ['process: fsync failed'] });
  assert.ok(health.ready().reasons.includes('process: fsync failed'));
});

test('degraded is ready, alive, and told', () => {
  const health = new Health();
  health.set('consumer', { kind: 'ready' });
  health.set('archive', { kind: 'degraded', reason: 'EIO' });
  assert.deepEqual(health.ready(), { ready: true, reasons: [], degraded: ['archive: EIO'] });
  assert.deepEqual(health.live(), { live: true, reasons: [] });
});
