/**
 * Brings sealed segments back from a store, into a directory that `verify` accepts and that the service could
 * go on with: every file is held against the SHA-256 in its facts before it gets its name. The checkpoint
 * comes last, so a directory that has one is whole.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import PQueue from 'p-queue';
import { ServiceError } from '../../core/errors.ts';
import { LOG_FILES, type LogFile } from '../../core/files.ts';
import { type Checkpoint, encodeCheckpoint } from '../../storage/checkpoint.ts';
import { makeDirectoryDurable, replaceFileDurable, syncDirectory } from '../../storage/durable-file.ts';
import {
  activePath,
  CHECKPOINT_FILE,
  INSTANCES_DIRECTORY,
  SEGMENT_SUFFIX,
  statePath,
} from '../../storage/layout.ts';
import { writeRetentionLedger } from '../../storage/retention-ledger.ts';
import { activeQuarantineOf, quarantineContentOf } from '../quarantine-content.ts';
import type { ObjectStore } from './object-store.ts';
import { beginRestore, endRestore } from './restore-marker.ts';
import { ALWAYS, type DescribedSegment, type InstancePlan, planOf, type TimeRange } from './restore-plan.ts';
import { restoreFile } from './restored-file.ts';
import { restoreHead } from './restored-head.ts';
import { restoredState } from './restored-state.ts';
import { isDataSuffix } from './segment-files.ts';
import { type StoredSegment, storedCheckpoint, storedFacts, storedFiles } from './stored-segments.ts';
import { tailKey } from './tails.ts';

export interface RestoreOptions {
  readonly store: ObjectStore;
  /** `targetIdentity` of the store. */
  readonly target: string;
  /** Where everything goes: as it lay below the output root. */
  readonly directory: string;
  readonly wanted: TimeRange;
  /** Only this instance; null for all that the store holds. */
  readonly instance: string | null;
  readonly concurrency: number;
  readonly now: number;
  /** @param share of the bytes that were fetched, 0 to 1 */
  readonly onProgress: (share: number) => void;
}

export interface RestoreReport {
  readonly directory: string;
  /** Of service_logs. */
  readonly records: number;
  readonly segments: number;
  readonly files: number;
  readonly bytes: number;
  /** Below the directory; `""` for the directory itself. */
  readonly instances: readonly string[];
  /** Full sentences about what belongs to the restored records and is not in the store. */
  readonly warnings: readonly string[];
}

/** @throws ServiceError that says what stands in the way; the same call then goes on where it stopped */
export async function restore(options: RestoreOptions, signal: AbortSignal): Promise<RestoreReport> {
  return new Restore(options, signal).run();
}

interface Instance {
  /** `instances/<id>`, or empty. */
  readonly name: string;
  readonly plan: InstancePlan;
  readonly original: Checkpoint | undefined;
}

class Restore {
  readonly #options: RestoreOptions;
  readonly #signal: AbortSignal;
  #files = 0;
  #bytes = 0;

  constructor(options: RestoreOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  async run(): Promise<RestoreReport> {
    const { directory, target, wanted, instance } = this.#options;
    const instances = await this.#plan();
    beginRestore(directory, { version: 1, target, ...wanted, instance });
    const segments = instances.flatMap(({ plan }) => segmentsOf(plan));
    await this.#fetchAll(segments);
    for (const found of instances) await this.#fetchHeads(found);
    const ends = endsOf(instances);
    for (const found of instances) await this.#writeState(found, ends);
    endRestore(directory);
    return {
      directory,
      records: segments.reduce(
        (sum, { file, facts }) => sum + (file === 'service_logs' ? facts.records : 0),
        0,
      ),
      segments: segments.length,
      files: this.#files,
      bytes: this.#bytes,
      instances: instances.map(({ name }) => name),
      warnings: instances.flatMap(({ plan }) => plan.warnings),
    };
  }

  async #plan(): Promise<Instance[]> {
    const { store, instance, wanted } = this.#options;
    const name = instance === null || instance === '' ? instance : `${INSTANCES_DIRECTORY}/${instance}`;
    const { segments: all, tails } = await storedFiles(store, this.#signal);
    const ours = all.filter((segment) => name === null || segment.instance === name);
    const described = await this.#describe(ours);
    const instances: Instance[] = [];
    for (const [found, segments] of Map.groupBy(described, (segment) => segment.instance)) {
      const hasTail = (file: LogFile, number: number): boolean =>
        tails.has(tailKey({ instance: found, file, number }));
      const plan = planOf({ segments, hasTail }, wanted);
      if (segmentsOf(plan).length === 0) continue;
      instances.push({ name: found, plan, original: await storedCheckpoint(store, found, this.#signal) });
    }
    if (instances.length > 0) return instances;
    throw new ServiceError(
      'BACKUP_DIFFERS',
      `${store.name} holds no segment of ${name === null || name === '' ? 'any instance' : name}${describeTime(wanted)} below the prefix "${store.prefix}": check --from, --to, --instance and backup.prefix.`,
      { segments: ours.length },
    );
  }

  async #describe(segments: readonly StoredSegment[]): Promise<DescribedSegment[]> {
    const { store } = this.#options;
    const described = await this.#eachOf(segments, async (segment) => {
      // Facts are copied last, so a segment without them was never whole.
      if (!segment.objects.has(SEGMENT_SUFFIX.facts)) return [];
      const found = await storedFacts(store, segment, this.#signal);
      if (typeof found !== 'string') return [{ ...segment, ...found }];
      throw new ServiceError(
        'BACKUP_DIFFERS',
        `In ${store.name}, ${found} Run "log-consumer backup verify".`,
      );
    });
    return described.flat();
  }

  async #fetchAll(segments: readonly DescribedSegment[]): Promise<void> {
    const total = segments.reduce((sum, { facts }) => sum + facts.sealed.bytes, 0);
    let done = 0;
    await this.#eachOf(segments, async (segment) => {
      await this.#fetch(segment);
      done += segment.facts.sealed.bytes;
      this.#options.onProgress(total === 0 ? 1 : done / total);
    });
  }

  async #fetch(segment: DescribedSegment): Promise<void> {
    const { store, directory } = this.#options;
    const path = join(directory, segment.base);
    requireData(segment, store);
    makeDirectoryDurable(dirname(path));
    for (const suffix of segment.objects.keys()) {
      if (suffix === SEGMENT_SUFFIX.facts) continue;
      const key = store.prefix + segment.base + suffix;
      const expected = isDataSuffix(suffix) ? segment.facts.sealed : await this.#sidecar(key);
      if (expected === undefined) continue;
      const fetched = await restoreFile(store, key, path + suffix, expected, this.#signal);
      if (fetched > 0) this.#files += 1;
      this.#bytes += fetched;
    }
    replaceFileDurable(path + SEGMENT_SUFFIX.facts, segment.text);
    this.#files += 1;
    this.#bytes += segment.text.length;
  }

  /** What the active files began with. */
  async #fetchHeads({ name, plan }: Instance): Promise<void> {
    const { store, directory } = this.#options;
    makeDirectoryDurable(join(directory, name));
    for (const file of LOG_FILES) {
      const head = plan.files[file]?.head;
      if (head === undefined) continue;
      const { position, segment } = head;
      const tail = tailKey({ instance: name, file, number: position.number });
      const key = segment === undefined ? tail : segment.base + dataOf(segment);
      const path = activePath(join(directory, name), file);
      this.#bytes += await restoreHead(
        store,
        store.prefix + key,
        path,
        { ...position, sealed: segment?.facts.sealed },
        this.#signal,
      );
      this.#files += 1;
    }
  }

  /** What was stored with a sidecar; one without is left out, since it can be made again from the lines. */
  async #sidecar(key: string): Promise<{ bytes: number; sha256: string } | undefined> {
    const head = await this.#options.store.head(key, this.#signal);
    const sha256 = head?.metadata['sha256'];
    return head === undefined || sha256 === undefined ? undefined : { bytes: head.bytes, sha256 };
  }

  async #writeState(
    { name, plan, original }: Instance,
    ends: Readonly<Record<string, number>>,
  ): Promise<void> {
    const directory = join(this.#options.directory, name);
    const { checkpoint, ledger } = restoredState({
      plan: plan.files,
      original,
      directoryId: randomBytes(9).toString('base64url'),
      instance: name.slice(INSTANCES_DIRECTORY.length + 1),
      quarantined: await this.#quarantinedIn(directory, plan),
      ends,
      now: this.#options.now,
    });
    makeDirectoryDurable(statePath(directory, ''));
    for (const file of LOG_FILES) closeSync(openSync(activePath(directory, file), 'a'));
    syncDirectory(directory);
    writeRetentionLedger(directory, ledger);
    replaceFileDurable(statePath(directory, CHECKPOINT_FILE), encodeCheckpoint(checkpoint));
  }

  /** Records that the restored entries stand for, by partition. */
  async #quarantinedIn(directory: string, { files }: InstancePlan): Promise<Record<string, number>> {
    const quarantined: Record<string, number> = {};
    const { segments = [], head } = files.quarantine ?? {};
    const contents = await this.#eachOf(segments, ({ base, facts: { number } }) =>
      quarantineContentOf({ kind: 'closed', number, path: join(this.#options.directory, base) }),
    );
    if (head !== undefined)
      contents.push(await activeQuarantineOf(activePath(directory, 'quarantine'), head.position));
    for (const [key, { records }] of contents.flatMap((content) => Object.entries(content))) {
      quarantined[key] = (quarantined[key] ?? 0) + records;
    }
    return quarantined;
  }

  /** The first failure leaves what is not begun. */
  async #eachOf<T, R>(items: readonly T[], use: (item: T) => Promise<R>): Promise<R[]> {
    const queue = new PQueue({ concurrency: this.#options.concurrency });
    try {
      return await Promise.all(items.map((item) => queue.add(() => use(item))));
    } finally {
      queue.clear();
      await queue.onIdle();
    }
  }
}

function describeTime({ from, to }: TimeRange): string {
  const begin = from === ALWAYS.from ? '' : ` from ${new Date(from).toISOString()}`;
  return to === ALWAYS.to ? begin : `${begin} up to ${new Date(to).toISOString()}`;
}

function segmentsOf(plan: InstancePlan): readonly DescribedSegment[] {
  return LOG_FILES.flatMap((file) => plan.files[file]?.segments ?? []);
}

/** The listing shows whatever there is, so what it does not show has to be asked for. */
function requireData({ base, objects }: DescribedSegment, store: ObjectStore): void {
  if ([...objects.keys()].some(isDataSuffix)) return;
  throw new ServiceError(
    'BACKUP_DIFFERS',
    `The lines of ${base} are missing in ${store.name}: run "log-consumer backup verify".`,
    { base },
  );
}

function dataOf({ objects }: DescribedSegment): string {
  return [...objects.keys()].find(isDataSuffix) ?? SEGMENT_SUFFIX.gzip;
}

/** Offset after the last that any instance is known to have read, by partition. */
function endsOf(instances: readonly Instance[]): Record<string, number> {
  const ends: Record<string, number> = {};
  const reach = (key: string, offset: number): void => {
    ends[key] = Math.max(ends[key] ?? 0, offset);
  };
  for (const { plan, original } of instances) {
    for (const [key, { next_offset }] of Object.entries(original?.partitions ?? {})) reach(key, next_offset);
    for (const { facts } of plan.files.service_logs?.segments ?? []) {
      for (const [key, { to }] of Object.entries(facts.accounts?.offsets ?? {})) reach(key, to);
    }
  }
  return ends;
}
