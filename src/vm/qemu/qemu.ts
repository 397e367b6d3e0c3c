import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import { launch } from '../../sys/index.ts'
import { VmError } from '../errors.ts'
import type { Qemu } from '../types.ts'
import { recall, remember } from './remembered.ts'

const program = 'qemu-system-x86_64'

export interface QemuSearch {
  /** A path that the user gave. */
  readonly given?: string | undefined
  /** The directories to search otherwise: the value of PATH. */
  readonly searchPath: string
  /** Its version is stored here until the file changes: asking QEMU takes half as long as making a clone. */
  readonly cacheDir?: string
}

/** Finds QEMU. Throws QEMU_MISSING. */
export async function findQemu({ given, searchPath, cacheDir }: QemuSearch): Promise<Qemu> {
  const directories = searchPath.split(delimiter).filter(Boolean)
  const candidates = given ? [given] : directories.map(directory => join(directory, program))
  for (const path of candidates) {
    if (!executable(path)) continue
    const [whole, asked] = [resolve(path), () => versionOf(resolve(path))]
    return { path: whole, version: await (cacheDir ? known(whole, cacheDir, asked) : asked()) }
  }
  throw given
    ? missing(
        `${given} cannot be executed`,
        'Give the path of a QEMU that you may execute (--kvm), or leave it out',
      )
    : missing(`no directory of PATH (${searchPath}) has ${program}`)
}

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Its version, from the cache as long as the file is the same. */
async function known(path: string, cacheDir: string, ask: () => Promise<string>): Promise<string> {
  const { ino, size, mtimeMs, ctimeMs } = statSync(path)
  const memory = { cacheDir, name: 'qemu.json', key: JSON.stringify([path, ino, size, mtimeMs, ctimeMs]) }
  const version = recall(memory)
  if (typeof version === 'string') return version
  const answer = await ask()
  await remember(memory, answer)
  return answer
}

async function versionOf(path: string): Promise<string> {
  const launched = launch({ file: path, args: ['--version'] })
  const exit = await launched.exited
  const version = /QEMU emulator version (\d+(?:\.\d+)+)/.exec(launched.stdout())?.[1]
  if (version && exit.code === 0) return version
  const said = launched.stderr().trim() || launched.stdout().trim() || 'nothing'
  throw missing(`${path} is not QEMU: with --version it prints: ${said.split('\n')[0]}`)
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
