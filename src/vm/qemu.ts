import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { delimiter, join, resolve } from 'node:path'
import { launch } from '../sys/index.ts'
import { VmError } from './errors.ts'
import type { Qemu } from './types.ts'

const program = 'qemu-system-x86_64'

/** Finds QEMU: `given`, a path, when somebody gave one, else along `searchPath`, the value of PATH. */
export async function findQemu(where: { given?: string | undefined; searchPath: string }): Promise<Qemu> {
  const { given, searchPath } = where
  const directories = searchPath.split(delimiter).filter(Boolean)
  const candidates = given ? [given] : directories.map(directory => join(directory, program))
  for (const path of candidates) {
    if (await executable(path)) return { path: resolve(path), version: await versionOf(resolve(path)) }
  }
  throw missing(given ? `${given} cannot be executed` : `there is no ${program} in ${searchPath}`)
}

async function executable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
}

async function versionOf(path: string): Promise<string> {
  const launched = launch({ file: path, args: ['--version'] })
  const exit = await launched.exited
  const version = /QEMU emulator version (\d+(?:\.\d+)+)/.exec(launched.stdout())?.[1]
  if (version && exit.code === 0) return version
  const said = launched.stderr().trim() || launched.stdout().trim() || 'nothing'
  throw missing(`${path} is not QEMU; asked for its version, it said: ${said.split('\n')[0]}`)
}

function missing(reason: string): VmError {
  const remedy = 'Run: sudo apt-get install qemu-system-x86'
  return new VmError({
    code: 'QEMU_MISSING',
    kind: 'prerequisite',
    op: 'find',
    target: 'QEMU',
    reason,
    remedy,
  })
}
