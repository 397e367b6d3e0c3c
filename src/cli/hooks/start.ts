import { durationText, idleClock, within } from '../../base/index.ts'
import type { SettingOptions, Settings } from '../../plan/index.ts'
import { tell } from '../output.ts'
import { badShape, HookError, hookFailed } from './errors.ts'
import type { Hook } from './load.ts'
import type { HookEvent } from './types.ts'

export interface PrepareOptions {
  readonly settings: Settings
  readonly dryRun: boolean
  readonly timeoutMs?: number | undefined
}

/** As long as a node may take to become ready. */
const usualMs = 120_000

/** Calls the hook's `prepare`. Resolves with the settings to change. Throws what it throws, and HOOK_SLOW. */
export async function prepareStart(
  { file, config }: Hook,
  { settings, dryRun, timeoutMs = usualMs }: PrepareOptions,
): Promise<SettingOptions> {
  try {
    const work = Promise.resolve(config.prepare?.({ settings, dryRun }))
    const late = () => tooSlow(file, timeoutMs)
    const changes = await within(work, { clock: idleClock, ms: timeoutMs, late })
    if (changes === undefined) return {}
    if (typeof changes === 'object' && changes !== null) return changes
    throw badShape(file, `prepare returned ${JSON.stringify(changes)}, not an object of settings`)
  } catch (failure) {
    throw hookFailed(file, 'prepare', failure)
  }
}

function tooSlow(file: string, timeoutMs: number): HookError {
  return new HookError({
    code: 'HOOK_SLOW',
    op: 'prepare start by hook',
    target: file,
    reason: `its prepare has not ended within ${durationText(timeoutMs)}, and nothing was started`,
    remedy: 'Allow more time with --timeout',
  })
}

/** Gives the hook events of a start. What it throws is said once, and the start goes on. */
export function listenerOf({ file, config }: Hook): (event: HookEvent) => void {
  let failed = false
  const said = (failure: unknown) => {
    if (!failed) tell(`note: ${hookFailed(file, 'onEvent', failure).message}`)
    failed = true
  }
  return event => {
    if (failed) return
    try {
      Promise.resolve(config.onEvent?.(event)).catch(said)
    } catch (failure) {
      said(failure)
    }
  }
}
