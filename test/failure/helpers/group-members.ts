/**
 * Takes dead members out of a consumer group. A killed process holds its partitions until its session
 * times out; tests that kill hundreds of times cannot wait for that. The broker lets anybody say that
 * a member leaves (LeaveGroup, version 0 of the protocol, written by hand: no client offers it).
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { withAdmin } from '../../helpers/kafka.ts';

const LEAVE_GROUP = 13;

/** Takes every member out of the group. Only for groups whose processes are all dead. */
export async function expelDeadMembers(bootstrap: string, groupId: string): Promise<void> {
  const { groups } = await withAdmin(bootstrap, (admin) => admin.describeGroups([groupId]));
  for (const { memberId } of groups[0]?.members ?? []) await leaveGroup(bootstrap, groupId, memberId);
}

async function leaveGroup(bootstrap: string, groupId: string, memberId: string): Promise<void> {
  const [host = '127.0.0.1', port = ''] = bootstrap.split(':');
  const socket = connect(Number(port), host);
  try {
    await once(socket, 'connect');
    const header = Buffer.alloc(8);
    header.writeInt16BE(LEAVE_GROUP, 0);
    const body = Buffer.concat([header, text('test'), text(groupId), text(memberId)]);
    const length = Buffer.alloc(4);
    length.writeInt32BE(body.length);
    socket.write(Buffer.concat([length, body]));
    const [answer] = (await once(socket, 'data')) as [Buffer];
    const error = answer.readInt16BE(8);
    const UNKNOWN_MEMBER = 25;
    if (error !== 0 && error !== UNKNOWN_MEMBER) throw new Error(`LeaveGroup was answered by error ${error}`);
  } finally {
    socket.destroy();
  }
}

/** A string of the Kafka protocol: its length as INT16, then UTF-8. */
function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(2);
  length.writeInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
