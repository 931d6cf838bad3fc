/**
 * Takes dead members out of a consumer group. A killed process holds its partitions until its session
 * times out; tests that kill hundreds of times cannot wait for that. The broker lets anybody say that
 * a member leaves (LeaveGroup, version 0 of the protocol, written by hand: no client offers it).
 */
import { withAdmin } from '../../helpers/kafka.ts';
import { askBroker, text } from './kafka-request.ts';

const LEAVE_GROUP = 13;
const UNKNOWN_MEMBER = 25;

/** Takes every member out of the group. Only for groups whose processes are all dead. */
export async function expelDeadMembers(bootstrap: string, groupId: string): Promise<void> {
  const { groups } = await withAdmin(bootstrap, (admin) => admin.describeGroups([groupId]));
  for (const { memberId } of groups[0]?.members ?? []) {
    const body = Buffer.concat([text(groupId), text(memberId)]);
    const answer = await askBroker(bootstrap, { apiKey: LEAVE_GROUP, apiVersion: 0, body });
    const error = answer.readInt16BE(0);
    if (error !== 0 && error !== UNKNOWN_MEMBER) throw new Error(`LeaveGroup was answered by error ${error}`);
  }
}
