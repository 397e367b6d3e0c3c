import { mkdtempSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { places } from '../../../src/base/index.ts'
import { buildImage } from '../../../src/image/index.ts'
import { findQemu, type Identity, type Machine, startVm, type VmSpec } from '../../../src/vm/index.ts'

const cacheDir = places({ HOME: homedir(), ...process.env }, process.getuid!()).cache

/** A user id that no other process has. */
export const ownUser: Identity = {
  uid: 70_000 + (process.pid % 10_000),
  gid: 70_000 + (process.pid % 10_000),
}

/** A VM as a cluster starts it, with the default guest. Its console log is in a directory that the test removes. */
export async function guestSpec(directory: string, change: Partial<VmSpec> = {}): Promise<VmSpec> {
  const { vmlinux, initramfs } = await buildImage({ cacheDir, guestDir: resolve('guest') })
  const { path } = await findQemu({ searchPath: process.env.PATH! })
  const name = change.name ?? 'vm-001'
  return {
    name,
    qemu: path,
    kernel: vmlinux,
    initramfs,
    memoryMiB: 128,
    vcpus: 1,
    accel: 'tcg',
    nics: [],
    identity: ownUser,
    consoleLog: join(directory, `${name}.log`),
    ...change,
  }
}

/** Starts it and waits until its agent answers. */
export async function readyVm(directory: string, change?: Partial<VmSpec>): Promise<Machine> {
  const machine = await startVm(await guestSpec(directory, change))
  await machine.ready
  return machine
}

/** A directory for logs, and a function that removes it. */
export function logDirectory(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'xcluster-test-'))
  return { path, remove: () => rmSync(path, { recursive: true }) }
}

/** The guest's output from now on, until it matches `expected`. */
export async function printed(machine: Machine, expected: string | RegExp): Promise<string> {
  let text = ''
  for await (const bytes of machine.console.attach()) {
    text += Buffer.from(bytes).toString('latin1')
    if (typeof expected === 'string' ? text.includes(expected) : expected.test(text)) return text
  }
  throw new Error(`the console ended before it printed ${expected}: ${text}`)
}

export const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString()
