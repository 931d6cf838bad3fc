/** What a store holds, by segment. Keys are made from paths (segment-files.ts), and are taken apart here. */
import { ServiceError } from '../../core/errors.ts';
import { LOG_FILES, type LogFile } from '../../core/files.ts';
import { type Checkpoint, decodeCheckpoint } from '../../storage/checkpoint.ts';
import {
  ARCHIVE_DIRECTORY,
  CHECKPOINT_FILE,
  INSTANCES_DIRECTORY,
  parseSegmentName,
  SEGMENT_SUFFIX,
  STATE_DIRECTORY,
} from '../../storage/layout.ts';
import type { ObjectStore } from './object-store.ts';
import { isSealed, type SealedFacts } from './segment-files.ts';
import { isTailKey } from './tails.ts';

export interface StoredSegment {
  /** Path of the instance below the root: `instances/<id>`, or empty. */
  readonly instance: string;
  readonly file: LogFile;
  readonly number: number;
  /** Without suffix; also the path below the root. Does not begin with the store's prefix. */
  readonly base: string;
  /** Bytes of each of its objects, by suffix. */
  readonly objects: ReadonlyMap<string, number>;
}

/** Nothing else becomes a path: a key with `..` in it is none of ours. */
const KEY = new RegExp(
  `^((?:${INSTANCES_DIRECTORY}/(?!\\.{1,2}/)[A-Za-z0-9._-]{1,64}/)?)${ARCHIVE_DIRECTORY}/([a-z_]+)/(date=\\d{4}-\\d\\d-\\d\\d)/([^/]+)$`,
);

export interface StoredFiles {
  /** By number within each file of each instance. */
  readonly segments: readonly StoredSegment[];
  /** Keys without the store's prefix, of beginnings of active files (tails.ts). */
  readonly tails: ReadonlySet<string>;
}

/** Everything of ours that the store holds. */
export async function storedFiles(store: ObjectStore, signal: AbortSignal): Promise<StoredFiles> {
  const found = new Map<string, StoredSegment & { objects: Map<string, number> }>();
  const tails = new Set<string>();
  for await (const { key: whole, bytes } of store.list(store.prefix, signal)) {
    const key = whole.slice(store.prefix.length);
    if (isTailKey(key)) tails.add(key);
    const parsed = parseKey(key);
    if (parsed === undefined) continue;
    const segment = found.get(parsed.base) ?? { ...parsed, objects: new Map<string, number>() };
    segment.objects.set(parsed.suffix, bytes);
    found.set(parsed.base, segment);
  }
  return { segments: [...found.values()].sort((left, right) => left.number - right.number), tails };
}

function parseKey(key: string): (Omit<StoredSegment, 'objects'> & { suffix: string }) | undefined {
  const [, folder = '', kind = '', day = '', name = ''] = KEY.exec(key) ?? [];
  const parsed = parseSegmentName(name);
  const file = LOG_FILES.find((known) => known === kind);
  if (parsed === undefined || file === undefined || parsed.file !== file) return undefined;
  return {
    instance: folder.replace(/\/$/, ''),
    file,
    number: parsed.number,
    base: `${folder}${ARCHIVE_DIRECTORY}/${file}/${day}/${parsed.base}`,
    suffix: parsed.suffix,
  };
}

/** The facts of a segment as they are in the store, and as text; a string says what is wrong with them. */
export async function storedFacts(
  store: ObjectStore,
  { base, file, number }: StoredSegment,
  signal: AbortSignal,
): Promise<{ readonly facts: SealedFacts; readonly text: string } | string> {
  const key = base + SEGMENT_SUFFIX.facts;
  const body = await store.read(store.prefix + key, signal);
  if (body === undefined) return `${key} is missing.`;
  const content = await textOf(body);
  try {
    const facts = JSON.parse(content) as SealedFacts;
    if (facts.file === file && facts.number === number && isSealed(facts)) return { facts, text: content };
  } catch {
    // Said below, like any other content.
  }
  return `${key} does not hold the facts of this segment.`;
}

/** The checkpoint of an instance as it was at its last backup; undefined when the store holds none. */
export async function storedCheckpoint(
  store: ObjectStore,
  instance: string,
  signal: AbortSignal,
): Promise<Checkpoint | undefined> {
  const key = `${instance === '' ? '' : `${instance}/`}${STATE_DIRECTORY}/${CHECKPOINT_FILE}`;
  const body = await store.read(store.prefix + key, signal);
  if (body === undefined) return undefined;
  const checkpoint = decodeCheckpoint(await textOf(body));
  if (checkpoint !== undefined) return checkpoint;
  throw new ServiceError(
    'BACKUP_DIFFERS',
    `${key} in ${store.name} is damaged: run "log-consumer backup run" where the original is, or remove the object to restore without it.`,
    { key },
  );
}

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
