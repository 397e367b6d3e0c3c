import { createHash } from 'node:crypto'
import { readFileSync, type Stats, statSync } from 'node:fs'
import { release } from 'node:os'
import type { Identity } from '../../sys/index.ts'
import { recall, remember } from '../qemu/remembered.ts'
import type { Qemu } from '../types.ts'
import { kvmDevice } from './kvm-identity.ts'

const name = 'accelerator.json'

type Device = Pick<Stats, 'uid' | 'gid'>

/** The result of the KVM check: why it cannot be used, or null when it can. */
export type Verdict = { readonly trouble: string | null }

/**
 * Hashes everything that the result depends on: this boot, its kernel, QEMU's binary, the device with its
 * permissions, and which of these permissions applies to the user that VMs will run as.
 */
export function verdictKey(qemu: Qemu, identity: Identity | undefined): string {
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')
  const [binary, device] = [statSync(qemu.path), statOfDevice()]
  const facts = [
    boot.trim(),
    release(),
    [qemu.path, qemu.version, binary.size, binary.mtimeMs],
    device ? [device.rdev, device.mode, device.uid, device.gid] : 'no device',
    identity ? ['as', standingOf(identity, device)] : ['self', process.getuid?.()],
  ]
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex')
}

/** The user's ids are new for each cluster. Only the permission of the device that applies to them matters. */
export function standingOf({ uid, gid, groups = [] }: Identity, device: Device | undefined): string {
  if (uid === device?.uid) return 'owner'
  return device && [gid, ...groups].includes(device.gid) ? 'group' : 'other'
}

function statOfDevice(): Stats | undefined {
  try {
    return statSync(kvmDevice)
  } catch {
    return undefined
  }
}

/** The stored result, if it is for this key. */
export function recallVerdict(cacheDir: string, key: string): Verdict | undefined {
  const trouble = recall({ cacheDir, name, key })
  return trouble === null || typeof trouble === 'string' ? { trouble } : undefined
}

export async function rememberVerdict(cacheDir: string, key: string, { trouble }: Verdict): Promise<void> {
  await remember({ cacheDir, name, key }, trouble)
}
