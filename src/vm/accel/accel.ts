import { settingText } from '../../base/index.ts'
import type { Identity } from '../../sys/index.ts'
import { VmError } from '../errors.ts'
import type { Accel, Qemu } from '../types.ts'
import { recallVerdict, rememberVerdict, verdictKey } from './accel-cache.ts'
import { kvmTrouble } from './accel-probe.ts'

export interface AccelOptions {
  readonly want: 'auto' | 'kvm' | 'tcg'
  readonly qemu: Qemu
  /** The user that VMs will run as. Any of their users will do: they differ only in their numbers. */
  readonly identity?: Identity | undefined
  /** The result is stored here until the next boot. */
  readonly cacheDir: string
  /** Called with the reason each time `auto` has to do without KVM. */
  readonly notice: (text: string) => void
}

/**
 * KVM where it works, otherwise QEMU's translator (TCG). That /dev/kvm can be opened proves nothing
 * (docs/vm.md): a small guest is run on it, as the user that VMs will run as. `kvm` where it does not work
 * throws KVM_UNUSABLE.
 */
export async function detectAccel(options: AccelOptions): Promise<Accel> {
  const { want, notice } = options
  if (want === 'tcg') return { kind: 'tcg', reason: 'requested' }
  const trouble = await rememberedTrouble(options)
  if (trouble === null) return { kind: 'kvm' }
  if (want === 'kvm') throw unusable(trouble)
  notice(`KVM does not work here, so VMs are emulated and slow (${trouble})`)
  return { kind: 'tcg', reason: trouble }
}

async function rememberedTrouble({ cacheDir, qemu, identity }: AccelOptions): Promise<string | null> {
  const key = verdictKey(qemu, identity)
  const known = recallVerdict(cacheDir, key)
  if (known) return known.trouble
  const trouble = (await kvmTrouble({ qemu: qemu.path, identity })) ?? null
  await rememberVerdict(cacheDir, key, { trouble })
  return trouble
}

function unusable(reason: string): VmError {
  return new VmError({
    code: 'KVM_UNUSABLE',
    kind: 'prerequisite',
    op: 'use',
    target: 'KVM',
    reason,
    remedy: `Give the user of the VMs write access to /dev/kvm, enable virtualisation in the firmware, or use ${settingText('accel', 'auto')}`,
  })
}
