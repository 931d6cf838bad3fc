import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { ServiceError } from '../../src/core/errors.ts';
import {
  type Checkpoint,
  decodeCheckpoint,
  encodeCheckpoint,
  loadCheckpoint,
} from '../../src/storage/checkpoint.ts';
import { NO_FACTS, NO_TOTALS } from '../../src/storage/facts.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

const CANDIDATES = ['checkpoint.json', 'checkpoint.json.tmp', 'checkpoint.prev.json'] as const;

function checkpointOf(sequence: number, instance = 'a'): Checkpoint {
  return {
    version: 2,
    instance,
    directory_id: 'd',
    sequence,
    acknowledged: Math.max(0, sequence - 1),
    written_at: '2026-11-23T09:00:00.000Z',
    partitions: {
      'logs/0': { ...NO_TOTALS, first_offset: 0, next_offset: sequence, lost: [], uncertain: [] },
    },
    files: {
      service_logs: {
        number: 1,
        opened_at: '2026-11-23T09:00:00.000Z',
        length: 10,
        crc32c: 'crc32c:00000000',
        records: 1,
        facts: { ...NO_FACTS, services: { 'grüße\u2028"\\': 3 } },
        start_offsets: {},
        totals: NO_TOTALS,
      },
    },
    pending_renames: [],
    pending_returns: [],
  };
}

function stateDirectory(context: TestContext): {
  directory: string;
  write(name: string, text: string): void;
} {
  const directory = temporaryDirectory(context);
  mkdirSync(join(directory, 'state'));
  return { directory, write: (name, text) => writeFileSync(join(directory, 'state', name), text) };
}

test('what was encoded is decoded again, whatever the names and numbers', () => {
  const sequence = fc.maxSafeNat();
  const anyText = fc.uint16Array({ maxLength: 20 }).map((units) => String.fromCharCode(...units));
  fc.assert(
    fc.property(
      sequence,
      anyText,
      fc.dictionary(fc.string({ maxLength: 10 }), fc.nat(), { maxKeys: 5 }),
      (number, instance, services) => {
        const base = checkpointOf(number, instance);
        const active = base.files.service_logs;
        assert.ok(active !== undefined);
        const checkpoint = {
          ...base,
          files: { audit_logs: { ...active, facts: { ...active.facts, services } } },
        };
        const decoded = decodeCheckpoint(encodeCheckpoint(checkpoint));
        assert.equal(JSON.stringify(decoded), JSON.stringify(checkpoint));
      },
    ),
  );
});

test('every changed byte, every cut and anything after the end is noticed', () => {
  const bytes = Buffer.from(encodeCheckpoint(checkpointOf(7)));
  const damage = fc.oneof(
    fc.record({ at: fc.nat({ max: bytes.length - 1 }), mask: fc.integer({ min: 1, max: 255 }) }),
    fc.record({ cut: fc.nat({ max: bytes.length - 1 }) }),
    fc.record({ extra: fc.string({ minLength: 1 }) }),
  );
  fc.assert(
    fc.property(damage, (how) => {
      const copy = Buffer.from(bytes);
      if ('at' in how) copy[how.at] = (copy[how.at] ?? 0) ^ how.mask;
      const text = 'cut' in how ? copy.subarray(0, how.cut).toString() : copy.toString();
      assert.equal(decodeCheckpoint('extra' in how ? text + how.extra : text), undefined);
    }),
    { numRuns: 2000 },
  );
});

test('each single byte, flipped in its lowest bit, is noticed', () => {
  const bytes = Buffer.from(encodeCheckpoint(checkpointOf(7)));
  for (let at = 0; at < bytes.length; at += 1) {
    const copy = Buffer.from(bytes);
    copy[at] = (copy[at] ?? 0) ^ 1;
    assert.equal(decodeCheckpoint(copy.toString()), undefined, `byte ${at}`);
  }
});

test('a checkpoint of another version is not taken for ours', () => {
  const other = { ...checkpointOf(1), version: 1 } as unknown as Checkpoint;
  assert.equal(decodeCheckpoint(encodeCheckpoint(other)), undefined);
});

test('the newest of the valid candidates is the truth, for any state of the three', (context) => {
  const state = fc.oneof(
    fc.constant('missing' as const),
    fc.constant('damaged' as const),
    fc.integer({ min: 1, max: 4 }),
  );
  const { directory, write } = stateDirectory(context);
  fc.assert(
    fc.property(fc.tuple(state, state, state), (states) => {
      mkdirSync(join(directory, 'state'), { recursive: true });
      for (const [index, name] of CANDIDATES.entries()) {
        const how = states[index];
        const text = typeof how === 'number' ? encodeCheckpoint(checkpointOf(how)) : 'not a checkpoint';
        if (how === 'missing') remove(directory, name);
        else write(name, text);
      }
      const valid = states.filter((how) => typeof how === 'number');
      const damagedRest = [states[0], states[2]].includes('damaged');
      if (valid.length > 0) {
        const loaded = loadCheckpoint(directory);
        assert.equal(loaded?.checkpoint.sequence, Math.max(...valid));
        assert.equal(
          states[CANDIDATES.indexOf(loaded.source as (typeof CANDIDATES)[number])],
          Math.max(...valid),
        );
        const before = valid.includes(Math.max(...valid) - 1) ? Math.max(...valid) - 1 : undefined;
        assert.equal(loaded.acknowledged?.sequence, before);
        const damaged = CANDIDATES.filter((_, index) => states[index] === 'damaged');
        assert.deepEqual(loaded.damaged, damaged);
      } else if (damagedRest) {
        assert.throws(() => loadCheckpoint(directory), isCorrupt);
      } else {
        assert.equal(loadCheckpoint(directory), undefined);
      }
    }),
    { numRuns: 300 },
  );
});

test('no valid checkpoint at all is refused with a sentence that names the files', (context) => {
  const { directory, write } = stateDirectory(context);
  write('checkpoint.json', '');
  write('checkpoint.prev.json', encodeCheckpoint(checkpointOf(3)).slice(0, 50));
  assert.throws(
    () => loadCheckpoint(directory),
    (error) => isCorrupt(error) && /checkpoint\.json and checkpoint\.prev\.json damaged/.test(error.message),
  );
});

function isCorrupt(error: unknown): error is ServiceError {
  return error instanceof ServiceError && error.code === 'CHECKPOINT_CORRUPT';
}

function remove(directory: string, name: string): void {
  rmSync(join(directory, 'state', name), { force: true });
}
