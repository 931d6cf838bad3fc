import { spawn } from 'node:child_process';

/**
 * A shell that waits for one line on its standard input. The write end is ours alone, so the end of
 * this process in any way, SIGKILL included, ends the input and the shell cleans up for us.
 */
const GUARD = 'read -r word; if [ "$word" != released ]; then kill -9 "$1"; [ -z "$2" ] || rm -rf "$2"; fi';

/**
 * Makes sure that the process `pid` never outlives this one, and that `temporaryDirectory` (if any)
 * goes with it. The returned function ends the guard; call it as soon as `pid` has exited, since the
 * system may then give the number to another process.
 */
export function guardAgainstOrphan(pid: number, temporaryDirectory: string | undefined): () => void {
  const guard = spawn('/bin/sh', ['-c', GUARD, 'sh', String(pid), temporaryDirectory ?? ''], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  guard.unref();
  // The guard may be gone before us (a terminal that closes kills whole sessions): not our failure.
  guard.stdin.on('error', () => undefined);
  return () => guard.stdin.end('released\n');
}
