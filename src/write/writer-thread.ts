/** The inside of the writer thread: joins a message port to a `Writer`. */
import type { MessagePort } from 'node:worker_threads';
import { systemClock } from '../core/clock.ts';
import { messageOf, ServiceError } from '../core/errors.ts';
import type { WriterEvent, WriterOptions, WriterRequest } from '../core/messages.ts';
import { Writer } from './writer.ts';

/** Starts the writer; a directory that cannot be recovered is answered by `failed`. */
export function runWriterThread(port: MessagePort, options: WriterOptions): void {
  const emit = (event: WriterEvent, transfer: readonly ArrayBuffer[] = []): void => {
    port.postMessage(event, [...transfer]);
    if (event.kind === 'stopped' || event.kind === 'failed') port.close();
  };
  try {
    const writer = new Writer(options, systemClock, emit);
    port.on('message', (request: WriterRequest) => writer.request(request));
  } catch (error) {
    const known =
      error instanceof ServiceError
        ? error
        : new ServiceError(
            'DIRECTORY_UNUSABLE',
            `Cannot open the log files in ${options.directory} (${messageOf(error)}): check that the directory is writable and has room.`,
          );
    emit({ kind: 'failed', error: known.serialise() });
  }
}
