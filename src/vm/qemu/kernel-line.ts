import { kernelLineWith } from '../../base/index.ts'
import type { VmSpec } from '../types.ts'

/** The guest kernel's command line. */
export function kernelLine(spec: Pick<VmSpec, 'append' | 'mtus' | 'accel'>): string {
  const mtus = Object.entries(spec.mtus ?? {})
    .filter(([, mtu]) => mtu !== 1500)
    .map(([net, mtu]) => `mtu${net}=${mtu}`)
  return kernelLineWith([...mtus, spec.append ?? ''], { emulated: spec.accel === 'tcg' })
}
