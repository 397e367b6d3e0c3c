import type { Clock } from '../../base/index.ts'
import type { Qemu, VmShape } from '../shape.ts'
import type { Machine } from '../types.ts'

/**
 * The shape of a VM: all that its clones have in common. Whatever is in it decides the template's key; what makes
 * one node differ from the next (name, MACs, addresses, MTUs) is not, and is told to the clone when it runs.
 */
export interface TemplateSpec extends VmShape {
  readonly qemu: Qemu
  /** Stands for what kernel and initramfs contain: `GuestImage.key`. */
  readonly image: string
  /**
   * NICs as the clones will have them, any node's: taps with a vnet header. MACs do not matter, nor do descriptors,
   * which need not be there: the template gets taps of its own, in a namespace that is thrown away.
   */
  readonly nics: VmShape['nics']
  /** What is done with it before it is saved. */
  readonly warmUp?: WarmUp
}

/**
 * What every clone will have to do first, done once in the template, so that its pages are in memory. It has to
 * leave the interfaces down.
 */
export interface WarmUp {
  /** Stands for what `run` does: part of the template's key. */
  readonly key: string
  run(machine: Machine): Promise<void>
}

/**
 * What {@link openTemplate} is doing: `check` what is in the cache and load it, `wait` for another process that
 * builds it, `build` it, which is: `boot` its VM, `warm` it, `save` it.
 */
export type TemplateStep = 'check' | 'wait' | 'build' | 'boot' | 'warm' | 'save'

export interface TemplateOptions {
  /** Templates are kept below it: `<cacheDir>/templates/<key>/`. */
  readonly cacheDir: string
  /** Told, as a sentence, when a damaged one is thrown away. */
  readonly notice: (text: string) => void
  /** Where it stands, for whoever waits. */
  readonly onStep?: (step: TemplateStep, state: 'begin' | 'end') => void
  /** Calls it off: a VM that is being booted goes, and nothing half-made is left. */
  readonly signal?: AbortSignal
  readonly clock?: Clock
}
