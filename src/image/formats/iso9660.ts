import { EncodeError, Writer } from '../../base/index.ts'
import { withParents } from './cpio.ts'
import {
  type DirectoryEntry,
  directoryBytes,
  type IsoEntry,
  recordBytes,
  rootEntry,
  sector,
} from './iso9660-record.ts'

export interface IsoOptions {
  /** The volume's name: at most 32 printable ASCII characters. */
  readonly label: string
}

/** A file or directory with its place in the image. */
interface Node {
  readonly name: string
  /** For readers that do not know Rock Ridge. */
  readonly identifier: string
  readonly entry: IsoEntry
  readonly parent: Node | undefined
  readonly children: Node[]
  /** The number of its first sector. */
  at: number
  size: number
  /** Directories alone, from 1. */
  number: number
}

/**
 * An ISO 9660 image with Rock Ridge names, modes and links (ECMA-119; IEEE P1282 "RRIP"; SUSP), as `genisoimage -R`
 * makes it. Everything belongs to root, and all times are 1970, so the same entries give the same bytes. Throws
 * EncodeError for a label or a name that does not fit.
 */
export function writeIso(entries: readonly IsoEntry[], { label }: IsoOptions): Uint8Array {
  if (!/^[ -~]{1,32}$/.test(label))
    throw new EncodeError('label', `'${label}' has no form that a volume can have`)
  const root = treeOf(entries)
  const nodes = [...walk(root)]
  const directories = nodes.filter(({ entry }) => entry.kind === 'directory')
  const tableBytes = pathTable(directories, true).length
  const secondTable = firstTable + Math.ceil(tableBytes / sector)
  const sectors = place(nodes, 2 * secondTable - firstTable)
  const image = new Uint8Array(sectors * sector)
  image.set(volume(label, { sectors, root, secondTable, tableBytes }), 16 * sector)
  image.set([0xff, ...magic, 1], 17 * sector)
  image.set(pathTable(directories, true), firstTable * sector)
  image.set(pathTable(directories, false), secondTable * sector)
  for (const node of nodes) image.set(contentOf(node), node.at * sector)
  return image
}

const magic = new TextEncoder().encode('CD001')
const firstTable = 18

function treeOf(entries: readonly IsoEntry[]): Node {
  const root = nodeOf({ path: '', kind: 'directory', mode: 0o755 }, undefined)
  const byPath = new Map([['', root]])
  for (const entry of withParents(entries) as IsoEntry[]) {
    const parent = byPath.get(entry.path.slice(0, Math.max(0, entry.path.lastIndexOf('/'))))!
    const node = nodeOf(entry, parent)
    parent.children.push(node)
    byPath.set(entry.path, node)
  }
  return root
}

function nodeOf(entry: IsoEntry, parent: Node | undefined): Node {
  const name = entry.path.slice(entry.path.lastIndexOf('/') + 1)
  const number = (parent?.children.length ?? 0).toString(36).toUpperCase().padStart(7, '0')
  const identifier = !parent ? '\0' : entry.kind === 'directory' ? `D${number}` : `F${number}.;1`
  return { name, identifier, entry, parent, children: [], at: 0, size: 0, number: 0 }
}

/** Level by level, which is the order of a path table. */
function* walk(root: Node): Generator<Node> {
  let level = [root]
  while (level.length > 0) {
    yield* level
    level = level.flatMap(({ children }) => children)
  }
}

/** Gives every node its place, from sector `first` on. Returns the number of sectors of the image. */
function place(nodes: readonly Node[], first: number): number {
  let next = first
  let number = 1
  for (const node of nodes) {
    const { entry } = node
    if (entry.kind === 'directory') node.number = number++
    node.size = entry.kind === 'directory' ? directoryBytes(listed(node)).length : sizeOf(entry)
    node.at = next
    next += Math.ceil(node.size / sector)
  }
  return next
}

function sizeOf(entry: IsoEntry): number {
  return entry.kind === 'file' ? entry.content.length : 0
}

function contentOf(node: Node): Uint8Array {
  const { entry } = node
  if (entry.kind === 'directory') return directoryBytes(listed(node))
  return entry.kind === 'file' ? entry.content : new Uint8Array(0)
}

/** The directory itself, its parent, and what it has. */
function listed(node: Node): DirectoryEntry[] {
  const self = (name: '\0' | '\x01', { at, size }: Node) => ({ ...rootEntry(at, size), identifier: name })
  return [
    { ...self('\0', node), entry: node.entry, isRoot: node.parent === undefined },
    { ...self('\x01', node.parent ?? node), entry: (node.parent ?? node).entry },
    ...node.children,
  ]
}

/** ECMA-119 §9.4. */
function pathTable(directories: readonly Node[], littleEndian: boolean): Uint8Array {
  const out = new Writer()
  for (const { parent, at, number, identifier } of directories) {
    out.u8(identifier.length)
    out.u8(0)
    out.u32(at, littleEndian)
    out.u16(parent?.number ?? number, littleEndian)
    out.text(identifier)
    out.align(2)
  }
  return out.done()
}

interface Volume {
  readonly sectors: number
  readonly root: Node
  /** The first sector of the big-endian path table. */
  readonly secondTable: number
  readonly tableBytes: number
}

/** The primary volume descriptor (ECMA-119 §8.4). */
function volume(label: string, { sectors, root, secondTable, tableBytes }: Volume): Uint8Array {
  const out = new Uint8Array(sector)
  const view = new DataView(out.buffer)
  const text = (at: number, length: number, value: string) =>
    out.set(new TextEncoder().encode(value.padEnd(length)), at)
  const both32 = (at: number, value: number) => {
    view.setUint32(at, value, true)
    view.setUint32(at + 4, value)
  }
  const both16 = (at: number, value: number) => {
    view.setUint16(at, value, true)
    view.setUint16(at + 2, value)
  }
  out.set([1, ...magic, 1])
  text(8, 32, '')
  text(40, 32, label)
  both32(80, sectors)
  both16(120, 1)
  both16(124, 1)
  both16(128, sector)
  both32(132, tableBytes)
  view.setUint32(140, firstTable, true)
  view.setUint32(148, secondTable)
  out.set(recordBytes({ ...rootEntry(root.at, root.size), identifier: '\0' }, false), 156)
  text(190, 623, '')
  for (const at of [813, 830, 847, 864]) text(at, 16, '0'.repeat(16)) // no date
  out[881] = 1
  return out
}
