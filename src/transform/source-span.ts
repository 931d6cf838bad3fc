/** Where the text of a canonical field lies in the record's bytes; filled again for every record. */
export class SourceSpan {
  isPresent = false;
  /** Content of the text, without quotes. */
  start = 0;
  end = 0;
  /** The member of the record whose whole value this is, so that it need not be repeated; else -1. */
  member = -1;

  clear(): void {
    this.isPresent = false;
    this.member = -1;
  }

  set(start: number, end: number, member: number): void {
    this.isPresent = true;
    this.start = start;
    this.end = end;
    this.member = member;
  }
}
