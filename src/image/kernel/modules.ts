import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { settingText } from '../../base/index.ts'
import { decoding, ImageError } from '../errors.ts'
import { unpack } from '../formats/unpack.ts'
import type { Inputs } from '../inputs.ts'
import { type ModuleInfo, moduleName, readModuleInfo } from './modinfo.ts'

export interface KernelModule extends ModuleInfo {
  /** Its path in `lib/modules/<version>`, without the ending of a compressed file: `kernel/net/sctp/sctp.ko`. */
  readonly file: string
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

  /** The modules of a kernel that has these built in, and no others. */
  static builtIn(names: readonly string[], inputs: Inputs): ModuleTree {
    return new ModuleTree('', inputs, {
      order: '',
      builtin: names.map(name => `kernel/${name}.ko\n`).join(''),
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

  /** True when the module has a file, or is in the kernel itself. */
  has(name: string): boolean {
    return this.#builtin.has(name) || this.#pathOf(name) !== undefined
  }

  /** `modules.builtin`: the paths of those that are in the kernel itself. */
  get builtin(): readonly string[] {
    return [...this.#builtin.values()]
  }

  /**
   * Every module with a file. Whether one has changed is told by the kernel's lists alone, which its package replaces
   * with it: a `stat` for each of them would cost every start some milliseconds.
   */
  async all(most = Number.POSITIVE_INFINITY): Promise<KernelModule[]> {
    const found: KernelModule[] = []
    for (const [name, listed] of this.#files) {
      if (found.length === most) break
      const path = placesOf(this.#dir, listed).find(path => existsSync(path))
      if (path !== undefined) found.push(await this.#load({ name, listed, path, file: await readFile(path) }))
    }
    return found
  }

  async #add(name: string, found: Map<string, KernelModule>, optional: boolean): Promise<void> {
    if (found.has(name) || this.#builtin.has(name)) return
    const path = this.#pathOf(name)
    if (!path) {
      if (optional) return
      throw incomplete(this.#dir, `the module ${name}`)
    }
    const listed = this.#files.get(name)!
    const module = await this.#load({ name, listed, path, file: await this.#inputs.read(path) })
    for (const need of module.softDepends) await this.#add(need, found, true)
    for (const need of module.depends) await this.#add(need, found, false)
    found.set(name, module)
  }

  #pathOf(name: string): string | undefined {
    const listed = this.#files.get(name)
    return listed && placesOf(this.#dir, listed).find(path => this.#inputs.has(path))
  }

  #load({ name, listed, path, file }: ModuleFile): Promise<KernelModule> {
    const damaged = {
      code: 'MODULE_DAMAGED',
      kind: 'prerequisite',
      op: 'read kernel module',
      target: path,
    } as const
    return decoding(damaged, async () => {
      const bytes = path.endsWith('.ko') ? file : await unpack(file, { limit: LIMIT })
      return { ...readModuleInfo(bytes), name, file: listed, bytes }
    })
  }
}

interface ModuleFile {
  readonly name: string
  /** Its path in the list of modules. */
  readonly listed: string
  readonly path: string
  /** The content of `path`. */
  readonly file: Uint8Array
}

/** Where the file may be: a distribution may have compressed it. */
function placesOf(dir: string, listed: string): string[] {
  return SUFFIXES.map(suffix => join(dir, listed + suffix))
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
    remedy: `Run "npx xc setup", or give another ${settingText('kernel')}`,
  })
}
