import type { CommandEntry } from '../command.ts'
import { normalized } from '../options/argv.ts'
import { exitFlushed, report } from '../output.ts'
import { programOf } from '../program.ts'
import type { Session } from '../session.ts'
import { withHook } from './commands.ts'
import { HookError } from './errors.ts'
import { loadHook } from './load.ts'

/** Loads a hook module. Returns the session and the commands that `xc` has with it. */
export async function openHook(
  file: string,
  session: Session,
  builtIn: readonly CommandEntry[],
): Promise<{ session: Session; commands: readonly CommandEntry[] }> {
  watchForTheEnd(file)
  const hook = await loadHook(file, session.places)
  const hooked = { ...session, hook }
  const run = async (argv: readonly string[], from: Session) => {
    const words = normalized(argv)
    process.exitCode = 0
    await programOf({ ...from, argv: words }, builtIn).parseAsync(words, { from: 'user' })
    return Number(process.exitCode)
  }
  return { session: hooked, commands: withHook(builtIn, hook, run) }
}

/** Node ends with status 0 when a promise can no longer be settled: nothing is left that could do it. */
function watchForTheEnd(file: string): void {
  process.once('beforeExit', () => {
    const reason = 'it waits for something that can no longer happen'
    const remedy = 'Look for a promise that nothing resolves'
    report(new HookError({ code: 'HOOK_UNSETTLED', op: 'run hook', target: file, reason, remedy }))
    void exitFlushed(1)
  })
}
