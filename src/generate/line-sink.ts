/** Writes records as lines to a stream, normally standard output. */
import type { Writable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { messageOf, ServiceError, systemCodeOf } from '../core/errors.ts';
import type { RecordSink } from './sink.ts';

const LINE_FEED = Buffer.from('\n');

/** A reader that goes away (`generate | head`) ends the stream quietly; any other failure is an error. */
export function createLineSink(stream: Writable): RecordSink {
  // Every failure also reaches the callback of write(); without a listener it would end the process first.
  const ignoreTwin = (): void => undefined;
  stream.on('error', ignoreTwin);
  return {
    async send(records) {
      const lines = Buffer.concat(records.flatMap(({ value }) => [value, LINE_FEED]));
      try {
        await written(stream, lines);
        // Files and pipes are written at once, so without this turn no signal would ever be seen.
        await nextTurn();
        return true;
      } catch (thrown) {
        if (systemCodeOf(thrown) === 'EPIPE') return false;
        throw new ServiceError(
          'WRITE_FAILED',
          `Cannot write the generated records to the output: ${messageOf(thrown)}; check where it is redirected to.`,
          {},
          thrown,
        );
      }
    },
    async close() {
      stream.off('error', ignoreTwin);
    },
  };
}

function written(stream: Writable, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
}
