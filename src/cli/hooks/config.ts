import type { HookConfig } from './types.ts'

export type * from './types.ts'

/**
 * Returns its argument: for editors and compilers, which then know the types of a hook module.
 *
 * ```ts
 * import { defineConfig } from 'xcluster/config'
 * export default defineConfig({ prepare: () => ({ nvm: 2 }) })
 * ```
 */
export function defineConfig(config: HookConfig): HookConfig {
  return config
}
