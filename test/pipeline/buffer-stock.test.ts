import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BufferStock } from '../../src/pipeline/buffer-stock.ts';

test('blocks come back into use', () => {
  const stock = new BufferStock(100, 400);
  const block = stock.take(1);
  assert.equal(block.byteLength, 100);
  assert.notEqual(stock.take(100), block);
  stock.give(block);
  assert.equal(stock.take(50), block);
});

test('a block that has grown stays, until it is too large to keep', () => {
  const stock = new BufferStock(100, 400);
  const grown = new ArrayBuffer(400);
  stock.give(grown);
  stock.give(new ArrayBuffer(401));
  stock.give(new ArrayBuffer(99));
  assert.equal(stock.take(10), grown);
  assert.equal(stock.take(10).byteLength, 100);
});

test('more than a block is made to measure, and never taken from the stock', () => {
  const stock = new BufferStock(100, 100);
  stock.give(new ArrayBuffer(100));
  assert.equal(stock.take(101).byteLength, 101);
});
