import type { Kind } from './kinds.ts'

/** One setting: its names, the values it can have, and its default. */
export interface Setting<T> {
  /** Its environment variable, with the name that the original xcluster gave it. */
  readonly variable: string
  readonly kind: Kind<T>
  readonly default: NoInfer<T>
  /** One line for the help, without a full stop. */
  readonly doc: string
  /** The value of an option given without one. */
  readonly bare?: string
}

export const always = <T>(setting: Setting<T>) => ({ ...setting, scope: 'always' as const })
/**
 * `<variable>_<role>` and `--<option>-<role>` set it for the nodes of a role, `<variable><N>` and `--<option><N>` for node
 * N alone.
 */
export const perNode = <T>(setting: Setting<T>) => ({ ...setting, scope: 'node' as const })
/** Resolved only when it is given: otherwise the topology may have a better value than the default. */
export const byTopology = <T>(setting: Setting<T>) => ({ ...setting, scope: 'topology' as const })
