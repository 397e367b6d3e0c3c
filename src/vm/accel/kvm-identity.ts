import { stat } from 'node:fs/promises'
import type { Identity } from '../../sys/index.ts'
import type { AccelKind } from '../types.ts'

/** The device through which the hardware executes guests. */
export const kvmDevice = '/dev/kvm'

/**
 * The user and groups of a QEMU process. With KVM it is also a member of the group that can write /dev/kvm,
 * unless that is root's. The KVM probe uses the same, so that it tries exactly what VMs will do.
 */
export async function kvmIdentity(identity: Identity, accel: AccelKind): Promise<Identity> {
  if (accel !== 'kvm') return identity
  const device = await stat(kvmDevice).catch(() => undefined)
  if (!device || device.gid === 0 || (device.mode & 0o060) !== 0o060) return identity
  return { ...identity, groups: [...(identity.groups ?? []), device.gid] }
}
