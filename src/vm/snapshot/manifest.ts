import { sha256, type TemplateFacts, templateKey } from '../template/facts.ts'
import type { StateTransport } from './transport.ts'

/**
 * A file of a template: its length, and a CRC-32 for each of its pieces (of `pieceSize`; the last one is
 * shorter).
 */
export interface Checked {
  readonly bytes: number
  readonly checks: readonly number[]
}

/** The contents of `manifest.json`, which is written last. */
export interface Manifest {
  readonly facts: TemplateFacts
  readonly memoryMiB: number
  readonly nicCount: number
  /** When it was made, in milliseconds since 1970. */
  readonly made: number
  readonly state: Checked
  readonly transport: StateTransport
  /** What it had written to the disk that it started from, if any. */
  readonly layer?: Checked
  /** The file has only blocks that are not zero. `extents` has their places, as [block, number of blocks]. */
  readonly ram: Checked & { readonly extents: readonly (readonly [number, number])[] }
}

/** A factor, because `<< 20` is negative from 2 GiB on. */
export const mebibyte = 2 ** 20

/** The size of a block in bytes. A block of zeros is not stored. */
export const blockSize = 16 << 10
/** The number of bytes read, checked and copied at a time. */
export const pieceSize = 1 << 20

export function encodeManifest(manifest: Manifest): string {
  return encodeHashed('template', manifest)
}

/** Throws a sentence about the damage. */
export function decodeManifest(text: string, key: string): Manifest {
  const manifest = decodeHashed('template', text) as Manifest
  if (templateKey(manifest.facts) !== key) throw new Error('it was made for another key')
  return manifest
}

/** The first line has the hash of the second, so that damage is found. */
export function encodeHashed(kind: 'template' | 'snapshot', value: object): string {
  const body = JSON.stringify(value)
  return `{"sha256":"${sha256(body)}","${kind}":\n${body}}\n`
}

/** Throws a sentence about the damage. */
export function decodeHashed(kind: 'template' | 'snapshot', text: string): unknown {
  const [, hash, found, body] = /^\{"sha256":"([0-9a-f]{64})","(\w+)":\n([^\n]*)\}\n$/.exec(text) ?? []
  if (body === undefined || found !== kind || sha256(body) !== hash)
    throw new Error('its manifest is damaged')
  return JSON.parse(body)
}
