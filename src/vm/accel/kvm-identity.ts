import { stat } from 'node:fs/promises'
import type { Identity } from '../../sys/index.ts'
import type { AccelKind } from '../types.ts'

/** The device through which hardware executes guests. */
export const kvmDevice = '/dev/kvm'

/**
 * Who a QEMU runs as: with KVM also a member of the group that may write /dev/kvm, unless that is root's. The
 * probe for KVM asks here too, so that it tries exactly what VMs will do.
 */
export async function kvmIdentity(identity: Identity, accel: AccelKind): Promise<Identity> {
  if (accel !== 'kvm') return identity
  const device = await stat(kvmDevice).catch(() => undefined)
  if (!device || device.gid === 0 || (device.mode & 0o060) !== 0o060) return identity
  return { ...identity, groups: [...(identity.groups ?? []), device.gid] }
}
