/** A record of the cluster's forwarder. */
export interface OwnName {
  /** `www.lab.test`, `*.lab.test` for every name below, or an address for its reverse name. */
  readonly name: string
  /** `SRV` */
  readonly type: string
  /** As in a zone file: `0 5 80 www.lab.test`. */
  readonly data: string
  /** In seconds. */
  readonly ttl: number
  /** What it is of: a node, the settings, or `nameAdd`. */
  readonly source: 'node' | 'settings' | 'added'
  /** The nodes that it is for; absent: all askers. */
  readonly nodes?: readonly string[]
}

/** What `xc names --json` prints, and the value of each change of names: the records that were added or removed. */
export interface OwnNames {
  readonly v: 1
  /** The cluster's domain, if it has one. */
  readonly domain?: string
  readonly names: readonly OwnName[]
}

/** A rule by which answers of the cluster's forwarder fail. */
export interface DnsFault {
  readonly id: number
  /** `www.lab.test`, `*.lab.test` or `*`. */
  readonly name: string
  readonly fault: 'nxdomain' | 'servfail' | 'refused' | 'drop' | 'delay' | 'truncate'
  /** The type of queries that fail; absent: all. */
  readonly type?: string
  /** The nodes whose queries fail; absent: all askers'. */
  readonly nodes?: readonly string[]
  readonly probability: number
  readonly seed: number
  readonly delayMs?: number
  readonly times?: number
  /** Queries that fitted the rule, and those of them that failed. */
  readonly matched: number
  readonly failed: number
}

/** What `xc dns-faults --json` prints, and the value of each change: the rules that were added or removed. */
export interface DnsFaults {
  readonly v: 1
  readonly faults: readonly DnsFault[]
}
