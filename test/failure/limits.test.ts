import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { CompressionTypes, type Message } from 'kafkajs';
import { OTHER_SERVICES } from '../../src/core/services.ts';
import { SEGMENT_SUFFIX } from '../../src/storage/layout.ts';
import { closedSegments } from '../../src/storage/recovery.ts';
import { uniqueMessage } from '../helpers/exactness.ts';
import { produce } from '../helpers/kafka.ts';
import { type ServiceProcess, waitFor } from '../helpers/service.ts';
import { report } from './helpers/report.ts';
import { scaled } from './helpers/scale.ts';
import { Scene } from './helpers/scene.ts';
import { seeded } from './helpers/seed.ts';

const DESCRIPTORS = 256;
const SERVICES = 10_000;
const PARTITIONS = 2;

/** More series than this are no longer a handful per metric. */
const MAX_SERIES = 400;

/** More than the ops port serves at the same time, and with the files almost as many as there are descriptors. */
const IDLE_CONNECTIONS = 250;

/** The record of `uniqueMessage`, from one of 10,000 services. */
function messageOfManyServices(partition: number, sequence: number): Message {
  const message = uniqueMessage(partition, sequence);
  const service = `service-${(sequence * PARTITIONS + partition) % SERVICES}`;
  return { ...message, value: String(message.value).replace(/"service":"[^"]*"/, `"service":"${service}"`) };
}

async function series(service: ServiceProcess): Promise<string[]> {
  const { body } = await service.get('/metrics');
  return body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

/** Takes connections to the ops port and sends nothing. */
async function holdConnections(context: TestContext, port: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  context.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  for (let number = 0; number < IDLE_CONNECTIONS; number += 1) {
    const socket = connect(port, '127.0.0.1');
    // The service closes what is above its limit.
    socket.on('error', () => undefined);
    sockets.push(socket);
    await once(socket, 'connect');
  }
  return sockets;
}

/** The largest number of services that the facts of one closed segment name. */
function mostNamedServices(directory: string): number {
  const counts = closedSegments(directory, 'service_logs').map(({ path }) => {
    const facts = JSON.parse(readFileSync(path + SEGMENT_SUFFIX.facts, 'utf8')) as {
      lines: { services: Record<string, number> };
    };
    return Object.keys(facts.lines.services).length;
  });
  return Math.max(...counts);
}

test('row 22: 10,000 distinct services and 256 file descriptors', async (t) => {
  const { seed, random } = seeded(t);
  const records = scaled({ ci: 40_000, full: 1_000_000 }) / PARTITIONS;
  const scene = await Scene.set(t, {
    name: 'limits',
    random,
    partitions: PARTITIONS,
    wrapper: ['sh', '-c', `ulimit -n ${DESCRIPTORS}; exec "$@"`, 'sh'],
    // Segments with more services than are counted by name.
    env: { MAX_LOG_FILE_SIZE_MB: '2' },
  });
  const service = scene.start();
  await waitFor('the service to be ready', async () => (await service.get('/health/ready')).status === 200);
  const process = `/proc/${service.child.pid}`;
  assert.match(readFileSync(join(process, 'limits'), 'utf8'), /Max open files +256 +256/);
  const seriesAtStart = await series(service);
  const connections = await holdConnections(t, await service.port());

  for (let partition = 0; partition < PARTITIONS; partition += 1) {
    const messages = Array.from({ length: records }, (_, sequence) =>
      messageOfManyServices(partition, sequence),
    );
    await produce(scene.bootstrap, scene.topic, messages, {
      compression: CompressionTypes.LZ4,
      batchRecords: 5000,
    });
  }
  await scene.waitUntilCommitted(120_000);
  const descriptors = readdirSync(join(process, 'fd')).length;
  assert.ok(descriptors < DESCRIPTORS, `${descriptors} descriptors`);
  for (const connection of connections) connection.destroy();
  const seriesAtEnd = await series(service);
  assert.ok(seriesAtEnd.length <= MAX_SERIES, `${seriesAtStart.length} series became ${seriesAtEnd.length}`);
  assert.deepEqual(
    seriesAtEnd.filter((line) => /service-\d/.test(line)),
    [],
  );
  const found = await scene.finish([records, records], 120_000);
  const named = mostNamedServices(scene.directory);
  assert.ok(named > 1000 && named <= 1001, `${named} named services, ${OTHER_SERVICES} among them`);
  report(t, {
    row: 22,
    failure: `${SERVICES} services, ${DESCRIPTORS} file descriptors, ${IDLE_CONNECTIONS} idle connections`,
    seed,
    figures: {
      records: found.stored + found.quarantined,
      descriptors,
      series: seriesAtEnd.length,
      named_services: named,
    },
  });
});
