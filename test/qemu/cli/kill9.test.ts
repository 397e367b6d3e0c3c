import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { systemClock } from '../../../src/base/index.ts'
import { isAlive } from '../../../src/client/process.ts'
import { takeCensus } from '../../support/leaks.ts'
import { OrdinaryUser } from '../../support/ordinary-user.ts'
import { descendants } from '../../support/processes.ts'
import { waitFor } from '../../support/wait.ts'
import { type RunningXc, Xc } from '../../support/xc.ts'

/** bench/kill9.sh sets more. */
const rounds = Number(process.env.KILLS ?? 3)
const args = ['start', '--nvm', '2', '--nrouters', '1', '--ntesters', '1']

// The promise of docs/architecture.md: the kernel removes everything, whenever the owner is killed.
test.for(['root', 'an unprivileged user'])(
  `kill -9 of an owner at a random moment of its start, ${rounds} times, leaves nothing behind: by %s`,
  { timeout: (rounds + 2) * 60_000 },
  async (starter, { skip }) => {
    const user = starter === 'root' ? undefined : new OrdinaryUser()
    const why = user?.whyNot()
    skip(why !== undefined, why)
    const xc = new Xc(user && { user })
    const census = await takeCensus({ directories: [xc.runtime] })
    await xc.good(args) // makes templates that are missing
    await xc.good(['stop'])
    const began = systemClock.now()
    await xc.good(args)
    let wholeStart = systemClock.now() - began
    await xc.good(['stop'])
    await census.expectUnchanged()
    const slowest = { ms: 0 }
    for (let round = 1; round <= rounds; round++) {
      const moment = Math.random() * wholeStart
      const { lastLine, cleanAfter, readyAfter } = await killAt(xc, moment)
      wholeStart = readyAfter ?? wholeStart // the machine is less busy now
      await census.expectUnchanged()
      expect(readdirSync(xc.runtime)).toEqual([])
      slowest.ms = Math.max(slowest.ms, cleanAfter)
      console.log(
        `${round}: killed after ${moment.toFixed(0)} ms, clean ${cleanAfter.toFixed(0)} ms later; ${lastLine}`,
      )
    }
    console.log(
      `${rounds} of ${rounds} clean; the last process had ended ${slowest.ms.toFixed(0)} ms after the kill`,
    )
  },
)

interface Kill {
  /** The last line of `xc start`. */
  readonly lastLine: string
  /** Milliseconds from the kill to the end of the last process. */
  readonly cleanAfter: number
  /** Milliseconds from the owner's start to the kill, when it was ready before that. */
  readonly readyAfter: number | undefined
}

/**
 * Kills the owner and waits for the end of `xc start`, which removes the files that the kernel leaves. When the start
 * had succeeded before the kill, `xc ls` removes them.
 */
async function killAt(xc: Xc, moment: number): Promise<Kill> {
  const begun = xc.begin(args)
  const pid = await waitFor(() => ownerOf(begun), 20_000)
  if (pid === undefined) throw new Error(`no owner process was started:\n${begun.stderr}`)
  const found = systemClock.now()
  await Promise.race([pause(moment), begun.result])
  process.kill(pid, 'SIGKILL')
  const killed = systemClock.now()
  // The kernel needs a second, and 20 ms for each tap (docs/network.md).
  // An owner whose first thread is a zombie holds its lock until its other threads have ended.
  await waitFor(() => !isAlive(pid) && descendants().every(each => each.pid === begun.child.pid), 5_000)
  const cleanAfter = systemClock.now() - killed
  const { status } = await begun.result
  await xc.run(['ls'])
  const lastLine = begun.stderr.trim().split('\n').at(-1) ?? ''
  if (status !== 0) return { lastLine, cleanAfter, readyAfter: undefined }
  return { lastLine: 'it had just become ready', cleanAfter, readyAfter: killed - found }
}

/** The owner sets its process title when it runs. Before that its command line is Node with its script. */
function ownerOf({ child }: RunningXc): number | undefined {
  return descendants().find(
    ({ pid }) => pid !== child.pid && /xcluster-owner|owner\/main/.test(commandLine(pid)),
  )?.pid
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1')
  } catch {
    return ''
  }
}
