import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { release } from 'node:os'
import type { Identity } from '../../sys/index.ts'
import { recall, remember } from '../qemu/remembered.ts'
import type { Qemu } from '../types.ts'
import { kvmDevice } from './kvm-identity.ts'

const name = 'accelerator.json'

/** The result of the KVM check: why it cannot be used, or null when it can. */
export type Verdict = { readonly trouble: string | null }

/**
 * Hashes everything that the result depends on: this boot, its kernel, QEMU's binary, the device with its
 * permissions, and the user that VMs will run as.
 */
export async function verdictKey(qemu: Qemu, identity: Identity | undefined): Promise<string> {
  const [boot, binary, device] = await Promise.all([
    readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
    stat(qemu.path),
    stat(kvmDevice).catch(() => undefined),
  ])
  const facts = [
    boot.trim(),
    release(),
    [qemu.path, qemu.version, binary.size, binary.mtimeMs],
    device ? [device.rdev, device.mode, device.uid, device.gid] : 'no device',
    identity ? ['as', identity.gid, identity.groups ?? []] : ['self', process.getuid?.()],
  ]
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex')
}

/** The stored result, if it is for this key. */
export async function recallVerdict(cacheDir: string, key: string): Promise<Verdict | undefined> {
  const trouble = await recall({ cacheDir, name, key })
  return trouble === null || typeof trouble === 'string' ? { trouble } : undefined
}

export async function rememberVerdict(cacheDir: string, key: string, { trouble }: Verdict): Promise<void> {
  await remember({ cacheDir, name, key }, trouble)
}
