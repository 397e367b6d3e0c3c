import { sha256, type TemplateFacts, templateKey } from '../template/facts.ts'

/** A file of a template: how long it is, and a CRC-32 for each of its pieces (`pieceSize`, the last is shorter). */
export interface Checked {
  readonly bytes: number
  readonly checks: readonly number[]
}

/** What is in `manifest.json`, the last file of a template that is written. */
export interface Manifest {
  readonly facts: TemplateFacts
  readonly memoryMiB: number
  readonly nicCount: number
  /** When it was made, in milliseconds since 1970. */
  readonly made: number
  readonly state: Checked
  /** The file has only what is not zero: `extents` says where it goes, as [block, number of blocks]. */
  readonly ram: Checked & { readonly extents: readonly (readonly [number, number])[] }
}

/** As a factor: `<< 20` is negative from 2 GiB on. */
export const mebibyte = 2 ** 20

/** Pages are looked at in groups of this size; one that is zero is not kept. */
export const blockSize = 16 << 10
/** What is read, checked and copied at once. */
export const pieceSize = 1 << 20

/** Says with its first line what the second one's hash has to be: what is damaged does not pass. */
export function encodeManifest(manifest: Manifest): string {
  const body = JSON.stringify(manifest)
  return `{"sha256":"${sha256(body)}","template":\n${body}}\n`
}

/** Throws what is wrong with it, as a sentence. */
export function decodeManifest(text: string, key: string): Manifest {
  const [, hash, body] = /^\{"sha256":"([0-9a-f]{64})","template":\n([^\n]*)\}\n$/.exec(text) ?? []
  if (body === undefined || sha256(body) !== hash) throw new Error('its manifest is damaged')
  const manifest = JSON.parse(body) as Manifest
  if (templateKey(manifest.facts) !== key) throw new Error('it was made for something else')
  return manifest
}
