import type { SegmentFacts } from '../storage/facts.ts';
import type { LineCheck } from './line-check.ts';

/** What is wrong with a file of lines, held against what was recorded of it: one sentence each. */
export function fileProblems(
  path: string,
  found: LineCheck,
  expected: Pick<SegmentFacts, 'records' | 'bytes' | 'crc32c'>,
): string[] {
  const problems: string[] = [];
  if (found.bytes !== expected.bytes) {
    problems.push(`${path} has ${found.bytes} bytes, ${expected.bytes} were recorded.`);
  } else if (found.crc32c !== expected.crc32c) {
    problems.push(`${path} does not have the checksum that was recorded: bytes in it were changed.`);
  }
  if (found.lines !== expected.records) {
    problems.push(`${path} has ${found.lines} lines, ${expected.records} were recorded.`);
  }
  if (found.torn > 0) problems.push(`${path} ends in the middle of a line.`);
  if (found.malformed > 0) problems.push(`${path} has ${found.malformed} lines that are not JSON objects.`);
  return problems;
}
