/** Code that was written for speed gives the same as code that was written to be obvious. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { LEVELS } from '../../src/core/level.ts';
import { ByteText, copyWords, equalBytes } from '../../src/transform/byte-text.ts';
import { Calendar } from '../../src/transform/calendar.ts';
import { parseEpoch } from '../../src/transform/epoch-time.ts';
import { KeywordAutomaton } from '../../src/transform/keyword-automaton.ts';
import { levelOfName } from '../../src/transform/level-value.ts';
import { parseTimestampText } from '../../src/transform/timestamp-text.ts';
import { transformText } from './helpers/transform-text.ts';

const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
const instants = fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) });

describe('canonical timestamps', () => {
  it('are read and written as Date does', () => {
    const calendar = new Calendar();
    fc.assert(
      fc.property(instants, (ms) => {
        const text = new Date(ms).toISOString();
        assert.equal(calendar.readCanonical(bytesOf(`"${text}"`), 1), ms);
        assert.equal(Buffer.from(calendar.format(ms).bytes).toString(), text);
      }),
    );
  });

  it('are accepted in no other form than the general reader accepts', () => {
    const calendar = new Calendar();
    const damaged = fc
      .tuple(instants, fc.nat({ max: 23 }), fc.constantFrom(...'0123456789:-TZ. x'))
      .map(([ms, at, character]) => {
        const text = new Date(ms).toISOString();
        return `${text.slice(0, at)}${character}${text.slice(at + 1)}`;
      });
    fc.assert(
      fc.property(damaged, (text) => {
        const bytes = bytesOf(text);
        const fast = calendar.readCanonical(bytes, 0);
        if (Number.isNaN(fast)) return;
        assert.equal(fast, parseTimestampText(bytes, 0, bytes.length));
        assert.equal(new Date(fast).toISOString(), text);
      }),
      { numRuns: 5000 },
    );
  });
});

describe('epoch numbers', () => {
  it('are exact in every unit', () => {
    const nanoseconds = fc.bigInt({
      min: 100_000_000n * 1_000_000_000n,
      max: 9_000_000_000n * 1_000_000_000n,
    });
    const parse = (text: string): number => parseEpoch(bytesOf(text), 0, text.length);
    fc.assert(
      fc.property(nanoseconds, (value) => {
        const ms = Number(value / 1_000_000n);
        const [seconds, fraction] = [
          value / 1_000_000_000n,
          (value % 1_000_000_000n).toString().padStart(9, '0'),
        ];
        assert.equal(parse(`${seconds}.${fraction}`), ms);
        assert.equal(parse(`${seconds}`), Number(seconds) * 1000);
        if (value >= 10n ** 17n) {
          assert.equal(parse(`${value}`), ms);
          assert.equal(parse(`${value / 1000n}`), ms);
          assert.equal(parse(`${value / 1_000_000n}.${value % 1_000_000n}`), ms);
        }
      }),
    );
  });
});

describe('level names', () => {
  it('mean the same by their bytes and by the table', () => {
    const names = fc
      .tuple(fc.constantFrom(...LEVELS, 'WARNING', 'INFOX', 'ERR'), fc.nat(31))
      .map(([name, mask]) =>
        [...name].map((letter, i) => ((mask >> i) & 1 ? letter.toLowerCase() : letter)).join(''),
      );
    fc.assert(
      fc.property(names, (name) => {
        const { unknownLevel, levelRank } = transformText(JSON.stringify({ level: name }));
        assert.equal(unknownLevel ? -1 : levelRank, levelOfName(name));
      }),
    );
  });
});

describe('keywords', () => {
  it('are found as by a search for each', () => {
    const groups = [
      ['aba', ' b '],
      ['bab', 'abab'],
      [' a', 'c1'],
    ];
    const automaton = new KeywordAutomaton(groups);
    const text = fc
      .array(fc.constantFrom(...'aAbBcC1 .-\u00e9'), { maxLength: 12 })
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, (value) => {
        const plain = ` ${value.toLowerCase().replace(/[^a-z0-9]/g, ' ')} `;
        const expected = groups
          .map((words, i) => (words.some((word) => plain.includes(word)) ? 1 << i : 0))
          .reduce((a, b) => a | b);
        const bytes = new Uint8Array(Buffer.from(`aba${value}aba`));
        assert.equal(automaton.search(bytes, 3, bytes.length - 3), expected);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('words of bytes', () => {
  it('compare and copy as single bytes do', () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 40, max: 3 });
    fc.assert(
      fc.property(bytes, bytes, fc.nat(), fc.nat(), (left, right, from, length) => {
        const start = from % left.length;
        const count = Math.min(length % 24, left.length - start, right.length);
        const slice = left.subarray(start, start + count);
        const isEqual = Buffer.compare(slice, right.subarray(0, count)) === 0;
        assert.equal(equalBytes(new ByteText(left).view, start, new ByteText(right).view, 0, count), isEqual);
        const target = new ByteText(new Uint8Array(count + 4).fill(9));
        copyWords(target, 2, new ByteText(left), start, start + count);
        assert.deepEqual([...target.bytes], [9, 9, ...slice, 9, 9]);
      }),
      { numRuns: 5000 },
    );
  });
});
