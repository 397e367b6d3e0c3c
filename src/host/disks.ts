import { readFile } from 'node:fs/promises'
import type { Role } from '../base/index.ts'
import { openDiskImage } from '../overlay/index.ts'
import { nodesWith, type Settings, settingFor } from '../plan/index.ts'
import { artefact } from '../sys/index.ts'
import { type BootDisk, makeEmptyLayer, type Qemu } from '../vm/index.ts'
import { bootableWithout } from './errors.ts'
import { identityOf } from './qemu-user.ts'
import { readSeedSources, type SeedSources } from './seed-sources.ts'

/** The disk image that a node starts from. */
export interface NodeDisk extends BootDisk {
  /** Stands for its content. */
  readonly key: string
  /** Bytes of the disk. */
  readonly size: number
  /** Its own boot loader starts it, without a kernel of ours. */
  readonly bootable: boolean
  /** What cloud-init in it gets beside the node's plan. */
  readonly seed?: SeedSources
}

const roles: readonly Role[] = ['vm', 'router', 'tester']

/** The disk images of all nodes, each checked once: by its headers, and then by QEMU. Throws IMAGE_MISSING. */
export class DiskImages {
  readonly #settings: Settings
  readonly #qemu: Promise<Qemu>
  readonly #opened = new Map<string, Promise<NodeDisk>>()

  constructor(settings: Settings, qemu: Promise<Qemu>) {
    const holders = [...roles, ...nodesWith(settings, ['image'])]
    const anyImage = holders.some(holder => settingFor(settings, 'image', holder) !== '')
    if (settings.bootable === 'yes' && !anyImage) throw bootableWithout()
    this.#settings = settings
    this.#qemu = qemu
  }

  /** That of a node, or of a role's nodes; undefined for none. Throws DISK_UNUSABLE and DISK_REFUSED. */
  async of(node: number | Role): Promise<NodeDisk | undefined> {
    const path = settingFor(this.#settings, 'image', node)
    const bootable = settingFor(this.#settings, 'bootable', node) === 'yes'
    if (path === '') return undefined
    const key = `${bootable} ${path}`
    const opening = this.#opened.get(key) ?? this.#open(path, bootable)
    this.#opened.set(key, opening)
    const [disk, seed] = await Promise.all([opening, this.#seedOf(node, bootable)])
    return { ...disk, ...(seed && { seed }) }
  }

  /** Those with a boot loader always have one. Others do when there is something in it. */
  async #seedOf(node: number | Role, bootable: boolean): Promise<SeedSources | undefined> {
    const { sshKey } = this.#settings
    const folder = settingFor(this.#settings, 'cidata', node)
    if (!bootable && sshKey === '' && folder === '') return undefined
    const sources = await readSeedSources({ keys: sshKey, folder })
    return { ...sources, ...(bootable && { program: await readFile(artefact('xcluster-guest')) }) }
  }

  async #open(path: string, bootable: boolean): Promise<NodeDisk> {
    const { trustBacking, uidBase } = this.#settings
    const { files, size, key } = await openDiskImage(path, {
      bootable,
      trustBacking: trustBacking === 'yes',
    })
    const qemu = await this.#qemu
    const emptyLayer = await makeEmptyLayer({ files }, { qemu, size, identity: identityOf(0, uidBase) })
    const cdrom = bootable && this.#settings.cdrom
    return { files, key, size, emptyLayer, bootable, ...(cdrom && { cdrom }) }
  }
}
