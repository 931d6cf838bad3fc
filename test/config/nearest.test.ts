import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearest } from '../../src/config/nearest.ts';

const KEYS = ['topic', 'brokers', 'session_timeout', 'heartbeat_interval', 'max_bytes', 'host', 'port'];

test('the nearest name', () => {
  const table: [string, string | undefined][] = [
    ['tpoic', 'topic'],
    ['topics', 'topic'],
    ['broker', 'brokers'],
    ['sessionTimeout', 'session_timeout'],
    ['session-timeout', 'session_timeout'],
    ['SESION_TIMEOUT', 'session_timeout'],
    ['prot', 'port'],
    ['maxBytes', 'max_bytes'],
    ['zebra', undefined],
    ['', undefined],
    ['x', undefined],
  ];
  for (const [typed, expected] of table) assert.equal(nearest(typed, KEYS), expected, typed);
});

test('of two equally near names the first is taken', () => {
  assert.equal(nearest('bat', ['cat', 'hat']), 'cat');
});
