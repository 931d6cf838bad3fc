import { readFileSync } from 'node:fs';
import type { SegmentFacts } from './facts.ts';
import { SEGMENT_SUFFIX } from './layout.ts';

/**
 * The facts of a closed segment.
 * @param base its path without suffix
 * @throws the system error, or a SyntaxError when they are damaged
 */
export function readSegmentFacts(base: string): SegmentFacts {
  return JSON.parse(readFileSync(base + SEGMENT_SUFFIX.facts, 'utf8')) as SegmentFacts;
}
