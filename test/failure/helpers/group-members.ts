/**
 * The members of a consumer group, and how to take dead ones out. A killed process holds its partitions
 * until its session times out; tests that kill hundreds of times cannot wait for that. The broker lets
 * anybody say that a member leaves (LeaveGroup, version 0 of the protocol, written by hand: no client
 * offers it).
 */
import { withAdmin } from '../../helpers/kafka.ts';
import { askBroker, text } from './kafka-request.ts';

const LEAVE_GROUP = 13;
const UNKNOWN_MEMBER = 25;

/** Whoever was thrown out and came back has another id. */
export async function memberIds(bootstrap: string, groupId: string): Promise<string[]> {
  const { groups } = await withAdmin(bootstrap, (admin) => admin.describeGroups([groupId]));
  return (groups[0]?.members ?? []).map(({ memberId }) => memberId);
}

/** Takes every member out of the group. Only for groups whose processes are all dead. */
export async function expelDeadMembers(bootstrap: string, groupId: string): Promise<void> {
  for (const memberId of await memberIds(bootstrap, groupId)) {
    const body = Buffer.concat([text(groupId), text(memberId)]);
    const answer = await askBroker(bootstrap, { apiKey: LEAVE_GROUP, apiVersion: 0, body });
    const error = answer.readInt16BE(0);
    if (error !== 0 && error !== UNKNOWN_MEMBER) throw new Error(`LeaveGroup was answered by error ${error}`);
  }
}
