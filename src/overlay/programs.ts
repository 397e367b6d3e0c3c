import { lstatSync, readlinkSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { settingText } from '../base/index.ts'
import { type ArchiveEntry, Inputs, isElf, Sysroots } from '../image/index.ts'
import { OverlayError } from './errors.ts'
import type { Named } from './merge.ts'
import { InstalledPackages } from './packages.ts'
import { pluginsOf } from './plugins.ts'

/** Where programs are, below a root. */
const programDirs = ['usr/local/sbin', 'usr/local/bin', 'usr/sbin', 'usr/bin', 'sbin', 'bin']

export interface ProgramOptions {
  /** Directories with programs, packages and libraries; the first one with a file is used. Default: `/`. */
  readonly roots?: readonly string[]
  /** Records all paths that the result depends on. */
  readonly inputs?: Inputs
}

/**
 * Programs of this machine for guests: each with its package's configuration, data and plugins, and with the libraries
 * that all of them need. A name is that of a program in PATH, or of an installed Debian package. Throws NO_SUCH_PROGRAM.
 */
export async function readPrograms(
  names: readonly string[],
  { roots = ['/'], inputs = new Inputs() }: ProgramOptions = {},
): Promise<Named> {
  const collected = new Collected(roots, inputs)
  const packages = roots.map(root => new InstalledPackages(root, inputs))
  for (const name of names) {
    const program = programAt(name, roots, inputs)
    const owner = packages.find(each => each.has(name)) ? name : program && ownerOf(program, packages)
    if (program) await collected.file(program)
    if (owner !== undefined) await collected.package(owner, packages)
    if (!program && owner === undefined) throw missing(name, roots)
  }
  await collected.libraries()
  const { entries, remarks, accounts } = collected
  return { name: 'programs', entries, remarks, accounts }
}

function programAt(name: string, roots: readonly string[], inputs: Inputs): string | undefined {
  const paths = name.includes('/') ? [name.replace(/^\/+/, '')] : programDirs.map(dir => join(dir, name))
  return paths.find(path => roots.some(root => isProgram(join(root, path), inputs)))
}

function isProgram(path: string, inputs: Inputs): boolean {
  if (!inputs.has(path)) return false
  const found = statSync(path, { throwIfNoEntry: false })
  return found?.isFile() === true && (found.mode & 0o111) !== 0
}

function ownerOf(path: string, packages: readonly InstalledPackages[]): string | undefined {
  for (const each of packages) {
    const owner = each.ownerOf(path)
    if (owner !== undefined) return owner
  }
  return undefined
}

function missing(name: string, roots: readonly string[]): OverlayError {
  const places = roots.flatMap(root => programDirs.map(dir => join(root, dir)))
  return new OverlayError({
    code: 'NO_SUCH_PROGRAM',
    kind: 'prerequisite',
    op: 'find program',
    target: name,
    reason: `none of ${places.join(', ')} has it, and no installed package has this name`,
    remedy: `Install the package that has it, or fetch it for guests alone: ${settingText('packages', name)}`,
  })
}

/** Files of this machine by their path in the guest. */
class Collected {
  readonly #roots: readonly string[]
  readonly #inputs: Inputs
  readonly #entries = new Map<string, ArchiveEntry>()
  readonly #elf = new Map<string, { path: string; from: string; content: Uint8Array }>()
  readonly remarks: string[] = []
  readonly accounts: string[] = []

  constructor(roots: readonly string[], inputs: Inputs) {
    this.#roots = roots
    this.#inputs = inputs
  }

  get entries(): ArchiveEntry[] {
    return [...this.#entries.values()]
  }

  /** A file with what it needs: the target of a link, the interpreter of a script. */
  async file(path: string): Promise<void> {
    if (this.#entries.has(path)) return
    const from = this.#roots
      .map(root => join(root, path))
      .find(each => this.#inputs.has(each) || lstatSync(each, { throwIfNoEntry: false }))
    if (from === undefined) return
    const found = lstatSync(from)
    if (found.isSymbolicLink()) return await this.#link(path, readlinkSync(from))
    if (found.isDirectory()) {
      this.#entries.set(path, { path, kind: 'directory', mode: found.mode & 0o7777 })
      return
    }
    if (!found.isFile()) return
    const content = await this.#inputs.read(from)
    const { uid, gid } = found
    this.#entries.set(path, { path, kind: 'file', mode: found.mode & 0o7777, content, uid, gid })
    if (isElf(content)) this.#elf.set(path, { path, from, content })
    else if (found.mode & 0o111) await this.#interpreter(path, content)
  }

  /** Everything of a package that a guest can use. */
  async package(name: string, packages: readonly InstalledPackages[]): Promise<void> {
    const of = packages.find(each => each.has(name))
    if (!of) return
    for (const each of await of.withNeeded(name)) {
      for (const path of await of.filesOf(each)) await this.file(path)
      this.accounts.push(...(await of.accountsOf(each)))
    }
  }

  /** The libraries of all programs so far, and the plugins that those open by name. */
  async libraries(): Promise<void> {
    const sysroots = new Sysroots(this.#roots, this.#inputs)
    for (let programs = [...this.#elf.values()]; programs.length > 0; ) {
      const libraries = await sysroots.closure(programs)
      for (const { path, content } of libraries)
        if (!this.#entries.has(path)) this.#entries.set(path, { path, kind: 'file', mode: 0o755, content })
      const before = new Set(this.#elf.keys())
      const names = [...libraries, ...programs].map(({ path }) => basename(path))
      for (const path of pluginsOf(names, this.#roots, this.#inputs)) await this.file(path)
      programs = [...this.#elf].flatMap(([path, program]) => (before.has(path) ? [] : [program]))
    }
  }

  async #link(path: string, target: string): Promise<void> {
    this.#entries.set(path, { path, kind: 'link', target })
    const to = target.startsWith('/') ? target.slice(1) : join(dirname(path), target)
    if (!to.startsWith('..')) await this.file(to)
  }

  async #interpreter(path: string, content: Buffer): Promise<void> {
    const [, interpreter] = /^#!\s*\/(\S+)(?:[^\n]*)\n/.exec(content.toString('latin1', 0, 256)) ?? []
    if (interpreter === undefined || inImage.has(basename(interpreter))) return
    if (this.#roots.some(root => this.#inputs.has(join(root, interpreter)))) await this.file(interpreter)
    else this.remarks.push(`/${path} needs /${interpreter}, which this machine does not have`)
  }
}

/** Interpreters that every guest has. */
const inImage = new Set(['sh', 'ash', 'dash', 'busybox', 'env'])
