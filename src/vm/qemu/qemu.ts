import { closeSync, constants, openSync, readSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { findProgram, isExecutable, launch } from '../../sys/index.ts'
import { VmError } from '../errors.ts'
import type { Qemu } from '../types.ts'
import { recall, remember } from './remembered.ts'

const program = 'qemu-system-x86_64'

export interface QemuSearch {
  /** A path that the user gave. */
  readonly given?: string | undefined
  /** The directories to search otherwise: the value of PATH. */
  readonly searchPath: string
  /** What it says is stored here until the file changes: asking QEMU takes half as long as making a clone. */
  readonly cacheDir?: string
}

/** Finds QEMU. Throws QEMU_MISSING. */
export async function findQemu({ given, searchPath, cacheDir }: QemuSearch): Promise<Qemu> {
  const found = given ? [given].find(isExecutable) : findProgram(program, searchPath)
  if (found !== undefined) {
    const whole = resolve(found)
    const ask = () => askQemu(whole)
    return { path: whole, ...(await (cacheDir ? known(whole, cacheDir, ask) : ask())) }
  }
  throw given
    ? missing(
        `${given} cannot be executed`,
        'Give the path of a QEMU that you may execute (--kvm), or leave it out',
      )
    : missing(`no directory of PATH (${searchPath}) has ${program}`)
}

/** What QEMU itself says. */
type Said = Omit<Qemu, 'path'>

/** What it says, from the cache as long as the file is the same. Which QEMU a script runs may change any time. */
async function known(path: string, cacheDir: string, ask: () => Promise<Said>): Promise<Said> {
  if (isScript(path)) return ask()
  const { ino, size, mtimeMs, ctimeMs } = statSync(path)
  const memory = { cacheDir, name: 'qemu.json', key: JSON.stringify([path, ino, size, mtimeMs, ctimeMs]) }
  const said = recall(memory) as Said | undefined
  if (typeof said?.version === 'string' && said.monitor) return said
  const answer = await ask()
  await remember(memory, answer)
  return answer
}

function isScript(path: string): boolean {
  let file: number | undefined
  try {
    file = openSync(path, constants.O_RDONLY)
    const start = Buffer.alloc(2)
    return readSync(file, start, 0, 2, 0) === 2 && start.toString('latin1') === '#!'
  } catch {
    return false // it may be executed and not be read, as no script may
  } finally {
    if (file !== undefined) closeSync(file)
  }
}

async function askQemu(path: string): Promise<Said> {
  const [about, objects] = await Promise.all([answerOf(path, '--version'), answerOf(path, '-object', 'help')])
  const [, version, build] =
    /QEMU emulator version (\d+(?:\.\d+)+)(?: \(([^)\n]*)\))?/.exec(about.stdout) ?? []
  if (!version || about.code !== 0) {
    const words = about.stderr.trim() || about.stdout.trim() || 'nothing'
    throw missing(`${path} is not QEMU: with --version it prints: ${words.split('\n')[0]}`)
  }
  const monitor = /^\s*monitor-qmp\b/m.test(objects.stdout) ? 'object' : 'option'
  return { version, ...(build && { build }), monitor }
}

async function answerOf(file: string, ...args: string[]) {
  const launched = launch({ file, args })
  const { code } = await launched.exited
  return { code, stdout: launched.stdout(), stderr: launched.stderr() }
}

function missing(reason: string, remedy = 'Run: sudo apt-get install qemu-system-x86'): VmError {
  return new VmError({
    code: 'QEMU_MISSING',
    kind: 'prerequisite',
    op: 'find',
    target: 'QEMU',
    reason,
    remedy,
  })
}
