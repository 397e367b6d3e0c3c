import { basename, dirname, join } from 'node:path'
import { decoding, ImageError } from '../errors.ts'
import { linkage, readElf } from '../formats/elf.ts'
import type { Inputs } from '../inputs.ts'

/** A file of some sysroot, and its path in the guest. */
export interface Found {
  readonly path: string
  readonly from: string
  readonly content: Uint8Array
}

const EM_X86_64 = 62

/** The default search path of the dynamic linkers of Debian, Fedora and their derivatives. */
const LIBRARY_DIRS = [
  'lib/x86_64-linux-gnu',
  'usr/lib/x86_64-linux-gnu',
  'lib64',
  'usr/lib64',
  'lib',
  'usr/lib',
]

/**
 * Finds files in several directory trees, and the libraries that programs need. The first tree with a file is
 * used.
 */
export class Sysroots {
  readonly #roots: readonly string[]
  readonly #inputs: Inputs

  constructor(roots: readonly string[], inputs: Inputs) {
    this.#roots = roots
    this.#inputs = inputs
  }

  /** The first of these relative paths that exists in some tree. */
  locate(paths: readonly string[]): string | undefined {
    return this.#roots
      .flatMap(root => paths.map(path => join(root, path)))
      .find(path => this.#inputs.has(path))
  }

  /** All libraries, and the dynamic linker, that the programs need, each once. */
  async closure(programs: readonly Found[]): Promise<Found[]> {
    const found = new Map<string, Found>()
    const queue = [...programs]
    for (let program = queue.shift(); program; program = queue.shift()) {
      const needs = await decoding(damagedProgram(program), () => linkage(readElf(program.content)))
      const interpreter = needs.interpreter?.slice(1)
      const wanted = needs.needed.map(name => ({
        name,
        paths: [...runPaths(needs.runPath, program), ...LIBRARY_DIRS].map(dir => join(dir, name)),
      }))
      if (interpreter) wanted.unshift({ name: basename(interpreter), paths: [interpreter] })
      for (const { name, paths } of wanted) {
        if (found.has(name)) continue
        const library = await this.#load(name, { paths, for: program })
        found.set(name, library)
        queue.push(library)
      }
    }
    return [...found.values()]
  }

  async #load(name: string, wanted: { paths: readonly string[]; for: Found }): Promise<Found> {
    for (const path of wanted.paths) {
      const from = this.locate([path])
      if (!from) continue
      const content = await this.#inputs.read(from)
      if (readElf(content).machine === EM_X86_64) return { path, from, content }
    }
    throw new ImageError({
      code: 'LIBRARY_MISSING',
      kind: 'prerequisite',
      op: 'find library',
      target: name,
      reason: `${wanted.for.from} needs it, and none of ${this.#roots.join(', ')} has it`,
      remedy: 'Run "npx xc setup"',
    })
  }
}

/** The error for a program that cannot be parsed: this machine could not run it either. */
export function damagedProgram({ from }: Found) {
  return {
    code: 'PROGRAM_DAMAGED',
    kind: 'prerequisite',
    op: 'read program',
    target: from,
    remedy: 'Reinstall its package',
  } as const
}

/** RUNPATH entries as paths below a root. `$ORIGIN` is the program's directory. */
function runPaths(runPath: readonly string[], program: Found): string[] {
  return runPath
    .filter(path => /^(\/|\$ORIGIN|\$\{ORIGIN\})/.test(path))
    .map(path => join('/', path.replace(/\$ORIGIN|\$\{ORIGIN\}/, `/${dirname(program.path)}`)).slice(1))
}
