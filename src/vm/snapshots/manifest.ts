import { version } from '../../base/index.ts'
import { type Checked, decodeHashed, encodeHashed } from '../snapshot/manifest.ts'
import type { StateTransport } from '../snapshot/transport.ts'
import { type MachineFacts, whyForeign } from '../template/facts.ts'

/** Incremented when snapshots are made or stored differently. */
export const format = 3

/** One VM of a snapshot. */
export interface StoredVm {
  /** The number of its node. */
  readonly id: number
  readonly memoryMiB: number
  readonly nicCount: number
  readonly transport: StateTransport
  readonly state: Checked
  /** The file has some blocks, whose places are `extents`: those that differ from the RAM of VM `base`, or are not all zero. */
  readonly ram: Checked & {
    readonly base?: number
    readonly extents: readonly (readonly [number, number])[]
  }
}

/** The contents of a snapshot's `manifest.json`, which is written last. */
export interface SnapshotManifest {
  readonly format: number
  /** The version that saved it. */
  readonly xcluster: string
  /** When it was made, in milliseconds since 1970. */
  readonly made: number
  readonly facts: MachineFacts
  /** Milliseconds between the first and the last VM that stood still. */
  readonly spreadMs: number
  /** What its owner needs to know beyond its VMs. */
  readonly about: unknown
  readonly vms: readonly StoredVm[]
}

export const manifestName = 'manifest.json'

/** The names of a VM's files. */
export function filesOf({ id }: Pick<StoredVm, 'id'>): { readonly ram: string; readonly state: string } {
  return { ram: `ram-${id}`, state: `state-${id}` }
}

export function encodeSnapshot(manifest: SnapshotManifest): string {
  return encodeHashed('snapshot', manifest)
}

/** Throws a sentence about the damage. */
export function decodeSnapshot(text: string): SnapshotManifest {
  return decodeHashed('snapshot', text) as SnapshotManifest
}

/** Why this machine and this version cannot go on with it, as half a sentence; undefined if they can. */
export async function whyUnusable({
  format: of,
  xcluster,
  facts,
}: SnapshotManifest): Promise<string | undefined> {
  if (xcluster !== version) return `it was saved by xcluster ${xcluster}, and this is ${version}`
  if (of !== format) return `it was saved by another build of xcluster ${version}`
  return await whyForeign(facts)
}
