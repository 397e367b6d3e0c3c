import type { Clock } from '../../base/index.ts'
import type { Qemu, VmShape } from '../shape.ts'
import type { Machine } from '../types.ts'

/**
 * The shape of a VM: the properties that its clones share. All of them decide the template's key. Properties
 * in which nodes differ (name, MACs, addresses, MTUs) are not part of it; a clone gets them when it runs.
 */
export interface TemplateSpec extends VmShape {
  readonly qemu: Qemu
  /** Stands for the contents of kernel and initramfs: `GuestImage.key`. */
  readonly image: string
  /**
   * NICs as the clones will have them, those of any node: taps with a vnet header. Their MACs do not matter,
   * and their descriptors may be missing: the template gets taps of its own, in a temporary namespace.
   */
  readonly nics: VmShape['nics']
  /** Work in the guest before it is saved. */
  readonly warmUp?: WarmUp
  /**
   * More work, on top of a template without it: that is made or found first, and resumed instead of a boot. So what
   * changes often costs little.
   */
  readonly added?: WarmUp
}

/**
 * Work that every clone will have to do first. It is done once in the template, so that its pages are in
 * memory. It must leave the interfaces down.
 */
export interface WarmUp {
  /** Stands for the work of `run`: part of the template's key. */
  readonly key: string
  run(machine: Machine): Promise<void>
}

/**
 * The steps of {@link openTemplate}: `check` the cache and load from it, `wait` for another process that
 * builds it, or `build` it, which is: `boot` its VM, `warm` it up, `save` it; or to resume another one, `add` to
 * it, `save` it.
 */
export type TemplateStep = 'check' | 'wait' | 'build' | 'boot' | 'warm' | 'add' | 'save'

export interface TemplateOptions {
  /** Templates are in `<cacheDir>/templates/<key>/`. */
  readonly cacheDir: string
  /** Called with a sentence when a damaged template is discarded. */
  readonly notice: (text: string) => void
  /** Reports its progress. */
  readonly onStep?: (step: TemplateStep, state: 'begin' | 'end') => void
  /** Cancels it: a VM that is booting is stopped, and nothing incomplete is left. */
  readonly signal?: AbortSignal
  readonly clock?: Clock
}
