import type { Qapi } from '../../qmp/index.ts'
import type { BootDisk } from '../shape.ts'

/** A file that QEMU inherits for disks: one to open for reading, the layer of a template, the VM's own layer, or its seed. */
export type DiskSource = { readonly path: string } | 'kept' | 'layer' | 'seed'

/** How QEMU is to open a disk: the files of its fd sets 1, 2, …, and block nodes, those that others need first. */
export interface DiskNodes {
  readonly sources: readonly DiskSource[]
  readonly nodes: readonly Qapi.BlockdevOptions[]
  /** The disks in the guest's order. */
  readonly disks: readonly DiskDevice[]
}

export interface DiskDevice {
  readonly node: string
  /** By which init and cloud-init know it (guest/init). */
  readonly serial: string
}

interface DiskParts {
  readonly kept?: boolean
  readonly layer?: boolean
  readonly seed?: boolean
}

/**
 * The nodes of disks: the files of the image, then the layers. `kept`, `layer` and `seed` say what there is. Every
 * node is described whole: QEMU guesses no format and opens no file by a name in another file. The image is locked
 * against programs that write to it, and not against those that read it.
 */
export function diskNodes(
  { files, cdrom }: Pick<BootDisk, 'files' | 'cdrom'>,
  { kept = false, layer = true, seed = false }: DiskParts = {},
): DiskNodes {
  const sources: DiskSource[] = []
  const open = (source: DiskSource): string => `/dev/fdset/${sources.push(source)}`
  const nodes: Qapi.BlockdevOptions[] = []
  for (const [index, { path, format, dataFile }] of [...files.entries()].reverse()) {
    const name = `image${index}`
    const lower = index + 1 < files.length ? `image${index + 1}` : null
    nodes.push(readOnly(`${name}-file`, open({ path })))
    if (dataFile !== undefined) nodes.push(readOnly(`${name}-data`, open({ path: dataFile })))
    const common = { 'node-name': name, file: `${name}-file`, 'read-only': true }
    const data = dataFile === undefined ? {} : { 'data-file': `${name}-data` }
    nodes.push(
      format === 'raw'
        ? { ...common, driver: 'raw' }
        : { ...common, driver: 'qcow2', backing: lower, ...data },
    )
  }
  if (kept) {
    nodes.push(readOnly('kept-file', open('kept'), 'off'))
    nodes.push({
      'node-name': 'kept',
      driver: 'qcow2',
      file: 'kept-file',
      backing: 'image0',
      'read-only': true,
    })
  }
  if (layer) nodes.push(...layerNodes(open('layer'), kept ? 'kept' : 'image0'))
  if (layer && cdrom !== undefined) nodes.push(...rawNodes('cdrom', open({ path: cdrom })))
  if (seed) nodes.push(...rawNodes('seed', open('seed')))
  const devices = ['disk', ...(cdrom === undefined ? [] : ['cdrom']), ...(seed ? ['seed'] : [])]
  return { sources, nodes, disks: devices.map(node => ({ node, serial: serials[node]! })) }
}

const serials: Readonly<Record<string, string>> = {
  disk: 'xcluster-image',
  cdrom: 'xcluster-cdrom',
  seed: 'xcluster-seed',
}

function rawNodes(name: string, filename: string): Qapi.BlockdevOptions[] {
  return [
    readOnly(`${name}-file`, filename),
    { 'node-name': name, driver: 'raw', file: `${name}-file`, 'read-only': true },
  ]
}

function readOnly(name: string, filename: string, locking: 'auto' | 'off' = 'auto'): Qapi.BlockdevOptions {
  return { 'node-name': name, driver: 'file', filename, locking, 'read-only': true }
}

/** The layer does not outlive its VM: what the guest flushes need not reach the disk. */
function layerNodes(filename: string, backing: string): Qapi.BlockdevOptions[] {
  const cache = { 'no-flush': true }
  return [
    { 'node-name': 'layer-file', driver: 'file', filename, locking: 'off', cache, discard: 'unmap' },
    { 'node-name': 'disk', driver: 'qcow2', file: 'layer-file', backing, cache, discard: 'unmap' },
  ]
}
