/** The fields of all entries, each in an array of its own: an entry is a number. */
export class Slots {
  /** First block of its bytes, and how many there are: the wire format, then the offsets of TTLs. */
  readonly first: Uint32Array
  readonly length: Uint16Array
  readonly questionEnd: Uint16Array
  readonly additionalAt: Uint16Array
  /** The number of records, each with a TTL. */
  readonly records: Uint16Array
  readonly rcode: Uint8Array
  readonly extended: Int32Array
  /** 1 when an upstream gave it. */
  readonly received: Uint8Array
  /** 1 when its name does not exist, whatever the type. */
  readonly denied: Uint8Array
  /** The last byte of its key. */
  readonly flags: Uint8Array
  readonly storedAt: Float64Array
  readonly expiresAt: Float64Array
  /** Until then it is served at once although it is stale. */
  readonly staleUntil: Float64Array
  /** Hits, up to 254; 255 while it is fetched again. */
  readonly hits: Uint8Array
  /** The edition of local names in which its name is not. */
  readonly edition: Uint32Array
  #free: number[] = []
  #fresh = 0

  /** Memory that is never written to is not resident: room for all entries costs nothing before. */
  constructor(count: number) {
    this.first = new Uint32Array(count)
    this.length = new Uint16Array(count)
    this.questionEnd = new Uint16Array(count)
    this.additionalAt = new Uint16Array(count)
    this.records = new Uint16Array(count)
    this.rcode = new Uint8Array(count)
    this.extended = new Int32Array(count)
    this.received = new Uint8Array(count)
    this.denied = new Uint8Array(count)
    this.flags = new Uint8Array(count)
    this.storedAt = new Float64Array(count)
    this.expiresAt = new Float64Array(count)
    this.staleUntil = new Float64Array(count)
    this.hits = new Uint8Array(count)
    this.edition = new Uint32Array(count)
  }

  /** A free slot. There are as many as the constructor was told. */
  take(): number {
    return this.#free.pop() ?? this.#fresh++
  }

  giveBack(slot: number): void {
    this.#free.push(slot)
  }
}
