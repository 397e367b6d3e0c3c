import { durationText, idleClock, messageOf, type Places, within } from '../../base/index.ts'
import { requireTrustedPlace } from '../../client/index.ts'
import { checkConfig } from './check.ts'
import { defineConfig } from './config.ts'
import { firstLine, HookError, lineIn } from './errors.ts'
import type { HookConfig } from './types.ts'

const longestMs = 30_000

/** A hook module that has been loaded and checked. */
export interface Hook {
  readonly file: string
  readonly config: HookConfig
}

/**
 * Loads a hook module: JavaScript or TypeScript. `xcluster/config` is known to it wherever it lies; other packages are
 * those beside it. Throws HOOK_LOAD with the line, HOOK_SLOW, and HOOK_SHAPE.
 */
export async function loadHook(file: string, places: Places): Promise<Hook> {
  const { createJiti } = await import('jiti')
  const { import: load } = createJiti(file, {
    fsCache: cacheIn(places),
    moduleCache: false,
    virtualModules: { 'xcluster/config': { defineConfig } },
  })
  const loading = load<object>(file).catch(failure => {
    throw notLoaded(file, failure)
  })
  const loaded = await within(loading, { clock: idleClock, ms: longestMs, late: () => tooSlow(file) })
  return { file, config: checkConfig(file, loaded) }
}

/** Compiled modules are kept where no other user can write: they are run. */
function cacheIn({ cache }: Places): string | false {
  try {
    requireTrustedPlace('cache', cache)
    return `${cache}/hooks`
  } catch {
    return false
  }
}

function tooSlow(file: string): HookError {
  return new HookError({
    code: 'HOOK_SLOW',
    op: 'load hook',
    target: file,
    reason: `it has not ended within ${durationText(longestMs)}`,
    remedy: 'Wait for things in prepare or in a command, not at its top level',
  })
}

function notLoaded(file: string, cause: unknown): HookError {
  const line = lineIn(file, cause)
  return new HookError({
    code: 'HOOK_LOAD',
    op: 'load hook',
    target: line === undefined ? file : `${file}:${line}`,
    reason: firstLine(messageOf(cause)),
    remedy: 'XCLUSTER_HOOK=off leaves it out',
    cause,
  })
}
