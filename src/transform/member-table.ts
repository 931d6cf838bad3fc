/**
 * Where the members of JSON objects lie in the scanned bytes, as parallel arrays that are filled again
 * for every record and grow when a record has more members than any before.
 */
const FIRST_CAPACITY = 64;

export class MemberTable {
  count = 0;
  /** Position of the key's opening quote. */
  keyStart = new Int32Array(FIRST_CAPACITY);
  /** Position after the key's closing quote. */
  keyEnd = new Int32Array(FIRST_CAPACITY);
  /** Id of the key in the KeyTable. */
  key = new Uint16Array(FIRST_CAPACITY);
  /** First byte of the value, its quote or bracket included. */
  valueStart = new Int32Array(FIRST_CAPACITY);
  /** Position after the value. */
  valueEnd = new Int32Array(FIRST_CAPACITY);
  /** One of KIND. */
  kind = new Uint8Array(FIRST_CAPACITY);
  /** Index of the containing member, for members one level down. */
  parent = new Int32Array(FIRST_CAPACITY);

  /** Notes a member whose value begins at `valueStart`; returns its index. */
  add(key: number, keyStart: number, keyEnd: number, valueStart: number): number {
    const index = this.count;
    if (index === this.keyStart.length) this.#grow();
    this.key[index] = key;
    this.keyStart[index] = keyStart;
    this.keyEnd[index] = keyEnd;
    this.valueStart[index] = valueStart;
    this.count = index + 1;
    return index;
  }

  /** Completes a member when its end is known. */
  finish(index: number, valueEnd: number, kind: number): void {
    this.valueEnd[index] = valueEnd;
    this.kind[index] = kind;
  }

  #grow(): void {
    this.keyStart = grown(this.keyStart);
    this.keyEnd = grown(this.keyEnd);
    this.valueStart = grown(this.valueStart);
    this.valueEnd = grown(this.valueEnd);
    this.parent = grown(this.parent);
    const kind = new Uint8Array(this.kind.length * 2);
    kind.set(this.kind);
    this.kind = kind;
    const key = new Uint16Array(this.key.length * 2);
    key.set(this.key);
    this.key = key;
  }
}

function grown(array: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(array.length * 2);
  larger.set(array);
  return larger;
}
