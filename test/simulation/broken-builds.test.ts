/**
 * The simulation finds what it is there for: each promise is taken out of a copy of the program, and some
 * seed must show it.
 */
import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { reportCaught } from '../failure/helpers/report.ts';
import { breakBuild } from '../helpers/broken-build.ts';
import { PROJECT_DIRECTORY } from '../helpers/service.ts';
import { exploreIn } from './exploration.ts';

const FIRST_SEED = 1;
const SEEDS = 5000;
const SECONDS = 120;

const BROKEN_BUILDS: Readonly<Record<string, Parameters<typeof breakBuild>[0]>> = {
  'no fsync of log files': {
    'src/write/active-segment.ts': {
      replace: 'await failAsSync(this.#path, fdatasyncAsync(this.#descriptor));',
      by: '',
    },
  },
  'no fsync of the directory of the checkpoint': {
    'src/write/checkpoint-store.ts': { replace: 'await this.#syncDirectory();', by: '' },
  },
  'commit before the checkpoint is durable': {
    'src/write/writer.ts': {
      replace: "await this.#disk.run('checkpoint', () => this.#store.replace(snapshot));",
      by: "setTimeout(() => this.#disk.run('checkpoint', () => this.#store.replace(snapshot)), 10);",
    },
  },
  'results of an older epoch are taken': {
    'src/pipeline/ingest.ts': { replace: 'if (entry.epoch !== this.#ledger.epoch) return false;', by: '' },
    'src/consume/ledger.ts': {
      replace: "invariant(entry.epoch === this.#epoch, 'an entry of an older epoch cannot be resolved');",
      by: 'if (entry.epoch !== this.#epoch) return [{ ...entry, result }];',
    },
  },
  'no cut on recovery': {
    'src/storage/recovery.ts': {
      replace: 'const cut = cutToCheckpoint(directory, file, loaded.checkpoint);',
      by: 'const cut = 0 * Number(cutToCheckpoint === undefined);',
    },
  },
  'a checkpoint is begun before the last was acknowledged': {
    'src/write/acknowledgement.ts': { replace: 'return this.#waiting !== undefined;', by: 'return false;' },
  },
  'no roll-back when others read the same': {
    'src/pipeline/membership.ts': { replace: 'if (handOver.cut) await this.#rollBack();', by: '' },
  },
  'an unknown outcome counts as refused': {
    'src/consume/commit-outcome.ts': {
      replace:
        "if (own !== undefined) return own.sequence >= sequence && own.to >= range.to ? 'taken' : 'refused';",
      by: "if (own !== undefined) return 'refused';",
    },
  },
  'a delivery counts as taken that found no room': {
    'src/pipeline/ingest.ts': {
      replace: 'while (this.#isHeld || !this.#tasks.hasRoom(bytes)) {',
      by: `if (!this.#tasks.hasRoom(bytes)) {
        delivery.resolve(delivery.nextOffset);
        this.#resolve(this.#ledger.take(delivery.topic, delivery.partition, delivery.nextOffset), { kind: 'empty' });
        return;
      }
      while (!this.#tasks.hasRoom(bytes)) {`,
    },
  },
  'recovery loses the checkpoint that Kafka took': {
    'src/storage/recovery.ts': {
      replace: 'acknowledged !== checkpoint)',
      by: 'acknowledged === checkpoint)',
    },
  },
};

for (const [promise, edits] of Object.entries(BROKEN_BUILDS)) {
  test(`a build is found out: ${promise}`, async (context) => {
    const build = breakBuild(edits);
    context.after(() => build.remove());
    for (const part of ['test/simulation', 'test/helpers', 'test/failure/helpers']) {
      cpSync(join(PROJECT_DIRECTORY, part), join(build.directory, part), { recursive: true });
    }
    const { failed, schedules } = await exploreIn(build.directory, {
      firstSeed: FIRST_SEED,
      seeds: SEEDS,
      seconds: SECONDS,
    });
    assert.ok(failed !== undefined, `${schedules} schedules and none failed`);
    const evidence = `after ${schedules} schedules: ${failed.problems[0]?.slice(0, 120)}`;
    reportCaught(context, { build: promise, evidence });
  });
}
