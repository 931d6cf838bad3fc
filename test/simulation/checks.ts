/** What must hold in every simulation, looked up in what the disks hold. */

import { decodeCommitMetadata } from '../../src/consume/commit-metadata.ts';
import type { OffsetCommit } from '../../src/consume/committer.ts';
import { LOG_FILES, type LogFile } from '../../src/core/files.ts';
import { partitionKey } from '../../src/core/offsets.ts';
import { type Checkpoint, decodeCheckpoint, loadCheckpoint } from '../../src/storage/checkpoint.ts';
import { coverageProblems, effectiveCheckpoints } from '../../src/storage/coverage.ts';
import { parseSegmentName } from '../../src/storage/layout.ts';
import type { DiskNode, MemoryDisk } from './memory-disk.ts';
import { simulatedDirectory } from './memory-file-system.ts';
import { type Batch, filesOf } from './records.ts';

const CHECKPOINTS = ['checkpoint.json', 'checkpoint.json.tmp', 'checkpoint.prev.json'];

/** What a power loss at this moment would leave of the newest checkpoint. */
function durableCheckpoint(disk: MemoryDisk): Checkpoint | undefined {
  let newest: Checkpoint | undefined;
  for (const name of CHECKPOINTS) {
    const node = disk.find(['state', name], 'durable');
    if (node?.kind !== 'file') continue;
    const checkpoint = decodeCheckpoint(node.durable.toString('utf8'));
    if (checkpoint !== undefined && checkpoint.sequence > (newest?.sequence ?? -1)) newest = checkpoint;
  }
  return newest;
}

/** Problems of a commit that the broker takes: every offset before it must survive a power loss now. */
export function commitProblems(
  commits: readonly OffsetCommit[],
  disks: ReadonlyMap<string, MemoryDisk>,
): string[] {
  const owner = decodeCommitMetadata(commits[0]?.metadata)?.instance ?? '';
  const disk = disks.get(owner);
  const checkpoint = disk === undefined ? undefined : durableCheckpoint(disk);
  if (disk === undefined || checkpoint === undefined)
    return [`${owner} committed without a durable checkpoint`];
  const problems: string[] = [];
  for (const { topic, partition, offset } of commits) {
    const reached = checkpoint.partitions[partitionKey(topic, partition)]?.next_offset ?? 0;
    if (reached >= Number(offset)) continue;
    problems.push(`${owner} committed ${partition}@${offset}, durable is ${reached}`);
  }
  for (const file of LOG_FILES) {
    const length = checkpoint.files[file]?.length ?? 0;
    const active = disk.find([`${file}.jsonl`], 'durable');
    const isRotating = [...checkpoint.pending_renames, ...checkpoint.pending_returns].some(
      (entry) => entry.file === file,
    );
    const durable = active?.kind === 'file' ? active.durable.length : 0;
    if (!isRotating && durable < length) {
      problems.push(`${owner} committed ${length} bytes of ${file}, durable are ${durable}`);
    }
  }
  return problems;
}

/** Problems of what all instances hold together, when everything was consumed and nothing runs. */
export function finalProblems(
  disks: ReadonlyMap<string, MemoryDisk>,
  logs: readonly (readonly Batch[])[],
): string[] {
  const machines = [...disks].flatMap(([machine, disk]) => {
    const loaded = loadCheckpoint(simulatedDirectory(machine));
    return loaded === undefined ? [] : [{ machine, disk, loaded }];
  });
  const effective = effectiveCheckpoints(
    machines.map(({ loaded: { checkpoint, acknowledged } }) => ({
      newest: checkpoint,
      acknowledged: acknowledged?.sequence === checkpoint.sequence ? undefined : acknowledged,
    })),
  );
  const holdings = machines.map(({ machine }, index) => ({
    name: machine,
    partitions: effective[index]?.partitions ?? {},
  }));
  const problems = coverageProblems(holdings);
  const seen = new Map<string, number>();
  machines.forEach(({ disk }, index) => {
    const checkpoint = effective[index];
    if (checkpoint === undefined) return;
    for (const file of LOG_FILES) count(file, linesOf(disk, file, checkpoint), seen, problems);
  });
  logs.forEach((log, partition) => {
    for (const batch of log) {
      for (let offset = batch.first; offset < batch.end; offset += 1) {
        for (const file of filesOf(offset)) {
          const times = seen.get(`${file} ${partition} ${offset}`) ?? 0;
          if (times !== 1) problems.push(`record ${partition}@${offset} is ${times} times in ${file}`);
        }
      }
    }
  });
  return problems;
}

/** Counts lines by record, and sees that the offsets of a partition grow within one set of files. */
function count(file: LogFile, lines: string, seen: Map<string, number>, problems: string[]): void {
  const last = new Map<number, number>();
  for (const line of lines.split('\n')) {
    if (line === '') continue;
    const match = /^\{"p":(\d+),"o":(\d+)\}$/.exec(line);
    if (match === null) {
      problems.push(`${file} holds the line ${JSON.stringify(line)}`);
      continue;
    }
    const [partition, offset] = [Number(match[1]), Number(match[2])];
    if (offset <= (last.get(partition) ?? -1))
      problems.push(`${file}: ${partition}@${offset} is out of order`);
    last.set(partition, offset);
    const key = `${file} ${partition} ${offset}`;
    seen.set(key, (seen.get(key) ?? 0) + 1);
  }
}

/** The content of one kind of file, as far as a checkpoint speaks of it. */
function linesOf(disk: MemoryDisk, file: LogFile, checkpoint: Checkpoint): string {
  const active = checkpoint.files[file];
  if (active === undefined) return '';
  const closed = closedSegments(disk.find(['archive', file]));
  let lines = '';
  for (let number = 1; number < active.number; number += 1) lines += closed.get(number) ?? '';
  const current = disk.find([`${file}.jsonl`]);
  const content =
    closed.get(active.number) ?? (current?.kind === 'file' ? current.data.toString('latin1') : '');
  return lines + content.slice(0, active.length);
}

function closedSegments(root: DiskNode | undefined): Map<number, string> {
  const found = new Map<number, string>();
  if (root?.kind !== 'directory') return found;
  for (const day of root.entries.values()) {
    if (day.kind !== 'directory') continue;
    for (const [name, node] of day.entries) {
      const parsed = parseSegmentName(name);
      if (parsed?.suffix === '.jsonl' && node.kind === 'file') {
        found.set(parsed.number, node.data.toString('latin1'));
      }
    }
  }
  return found;
}
