import { join } from 'node:path'
import { decoding, ImageError } from '../errors.ts'
import { unpack } from '../formats/unpack.ts'
import type { Inputs } from '../inputs.ts'
import { type ModuleInfo, moduleName, readModuleInfo } from './modinfo.ts'

export interface KernelModule extends ModuleInfo {
  /** The uncompressed file. */
  readonly bytes: Uint8Array
}

const SUFFIXES = ['', '.xz', '.zst', '.gz']
const LIMIT = 64 << 20

/** The modules of one kernel, `lib/modules/<version>`. It needs no depmod: it reads what each module contains. */
export class ModuleTree {
  readonly #dir: string
  readonly #inputs: Inputs
  readonly #files: ReadonlyMap<string, string>
  readonly #builtin: ReadonlyMap<string, string>

  private constructor(dir: string, inputs: Inputs, lists: { order: string; builtin: string }) {
    this.#dir = dir
    this.#inputs = inputs
    this.#files = byName(lists.order)
    this.#builtin = byName(lists.builtin)
  }

  /** Reads two lists that are part of the kernel's package, even when that is only unpacked. */
  static async open(dir: string, inputs: Inputs): Promise<ModuleTree> {
    const text = async (name: string) => {
      if (!inputs.has(join(dir, name))) throw incomplete(dir, name)
      return (await inputs.read(join(dir, name))).toString()
    }
    return new ModuleTree(dir, inputs, {
      order: await text('modules.order'),
      builtin: await text('modules.builtin'),
    })
  }

  /**
   * The wanted modules with their dependencies, each after those that it needs. Built-in ones need no file.
   * One that this kernel lacks is left out when `optional`, and an error otherwise.
   */
  async resolve(wanted: readonly string[], { optional = false } = {}): Promise<KernelModule[]> {
    const found = new Map<string, KernelModule>()
    for (const name of wanted) await this.#add(moduleName(name), found, optional)
    return [...found.values()]
  }

  async #add(name: string, found: Map<string, KernelModule>, optional: boolean): Promise<void> {
    if (found.has(name) || this.#builtin.has(name)) return
    const path = this.#pathOf(name)
    if (!path) {
      if (optional) return
      throw incomplete(this.#dir, `the module ${name}`)
    }
    const module = await this.#load(name, path)
    for (const need of module.softDepends) await this.#add(need, found, true)
    for (const need of module.depends) await this.#add(need, found, false)
    found.set(name, module)
  }

  #pathOf(name: string): string | undefined {
    const listed = this.#files.get(name)
    if (!listed) return undefined
    return SUFFIXES.map(suffix => join(this.#dir, listed + suffix)).find(path => this.#inputs.has(path))
  }

  async #load(name: string, path: string): Promise<KernelModule> {
    const file = await this.#inputs.read(path)
    const damaged = {
      code: 'MODULE_DAMAGED',
      kind: 'prerequisite',
      op: 'read kernel module',
      target: path,
    } as const
    return decoding(damaged, async () => {
      const bytes = path.endsWith('.ko') ? file : await unpack(file, { limit: LIMIT })
      return { ...readModuleInfo(bytes), name, bytes }
    })
  }
}

/** `kernel/drivers/net/virtio_net.ko` by `virtio_net`. */
function byName(list: string): Map<string, string> {
  const paths = list.split('\n').filter(line => line.endsWith('.ko'))
  return new Map(paths.map(path => [moduleName(path.slice(path.lastIndexOf('/') + 1, -3)), path]))
}

function incomplete(dir: string, what: string): ImageError {
  return new ImageError({
    code: 'KERNEL_MODULES_MISSING',
    kind: 'prerequisite',
    op: 'read kernel modules in',
    target: dir,
    reason: `${what} is missing`,
    remedy: 'Run "npm run setup", or give another kernel with --kernel',
  })
}

/** `modules.dep` in depmod's format: each module with all those that it needs, the first to load last. */
export function modulesDep(modules: readonly KernelModule[]): string {
  const byNames = new Map(modules.map(module => [module.name, module]))
  const needs = (module: KernelModule, seen = new Set<string>()): Set<string> => {
    for (const name of [...module.depends, ...module.softDepends]) {
      const need = byNames.get(name)
      if (!need || seen.has(name)) continue
      needs(need, seen)
      seen.add(name)
    }
    return seen
  }
  const line = (module: KernelModule) =>
    [`${module.name}.ko:`, ...[...needs(module)].reverse().map(name => `${name}.ko`)].join(' ')
  return modules.map(module => `${line(module)}\n`).join('')
}

/** `modules.alias`: for the kernel's own requests, such as `nft-chain-2-nat`. */
export function modulesAlias(modules: readonly KernelModule[]): string {
  const lines = modules.flatMap(({ name, aliases }) => aliases.map(alias => `alias ${alias} ${name}\n`))
  return lines.join('')
}
