import type { Identity } from '../../sys/index.ts'
import { VmError } from '../errors.ts'
import type { Accel, Qemu } from '../types.ts'
import { recallVerdict, rememberVerdict, verdictKey } from './accel-cache.ts'
import { kvmTrouble } from './accel-probe.ts'

export interface AccelOptions {
  readonly want: 'auto' | 'kvm' | 'tcg'
  readonly qemu: Qemu
  /** Who VMs will run as: any one of them, they differ only in their numbers. */
  readonly identity?: Identity | undefined
  /** The verdict is remembered here until the next boot. */
  readonly cacheDir: string
  /** Told when `auto` has to do without KVM, and why; every time. */
  readonly notice: (text: string) => void
}

/**
 * KVM where it works, else QEMU's translator. That /dev/kvm opens proves nothing (docs/vm.md): something is run
 * on it, as the user that VMs will run as. `kvm` where it does not work is an error.
 */
export async function detectAccel(options: AccelOptions): Promise<Accel> {
  const { want, notice } = options
  if (want === 'tcg') return { kind: 'tcg', reason: 'asked for' }
  const trouble = await rememberedTrouble(options)
  if (trouble === null) return { kind: 'kvm' }
  if (want === 'kvm') throw unusable(trouble)
  notice(`No KVM here, VMs are emulated and slow (${trouble})`)
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
    remedy: 'Let whoever VMs run as write /dev/kvm, enable virtualisation in the firmware, or use --kvm=auto',
  })
}
