/**
 * Goes back to a checkpoint that Kafka has acknowledged, when it turns out that what came after belongs
 * to somebody else.
 *
 * The decision is written down first, as a checkpoint with a higher sequence that repeats the old one and
 * names the rotations to be undone; then recovery does what it says. A crash in between ends the same, and
 * a full disk leaves something that can be tried again.
 */
import { invariant } from '../core/invariant.ts';
import { type Checkpoint, encodeCheckpoint, loadCheckpoint } from './checkpoint.ts';
import { replaceFileDurable } from './durable-file.ts';
import { CHECKPOINT_FILE, statePath } from './layout.ts';
import { type Recovery, recover } from './recovery.ts';

/**
 * @param target the acknowledged checkpoint: the newest of the directory, or the one before it
 * @param sequence above every sequence that was used
 * @param now ms since the epoch
 * @throws the system error of a failed write, ServiceError SYNC_FAILED
 */
export function rollBack(directory: string, target: Checkpoint, sequence: number, now: number): Recovery {
  const newest = loadCheckpoint(directory)?.checkpoint;
  // An attempt before this one got so far, and failed then.
  if (newest?.sequence === sequence) return recover(directory, target.instance, now);
  const isKnown = newest?.sequence === target.sequence || newest?.acknowledged === target.sequence;
  invariant(
    newest !== undefined && isKnown,
    `checkpoint ${target.sequence} is not the last acknowledged one`,
  );
  const checkpoint: Checkpoint = {
    ...target,
    sequence,
    acknowledged: sequence,
    written_at: new Date(now).toISOString(),
    // A newer checkpoint was written, so the rotations of the old one are long finished; those of the
    // newer one are undone.
    pending_renames: newest.sequence === target.sequence ? target.pending_renames : [],
    pending_returns:
      newest.sequence === target.sequence
        ? target.pending_returns
        : newest.pending_renames.map(({ file, base }) => ({ file, base })),
  };
  replaceFileDurable(statePath(directory, CHECKPOINT_FILE), encodeCheckpoint(checkpoint));
  return recover(directory, target.instance, now);
}
