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

/** bench/kill9.sh asks for more. */
const rounds = Number(process.env.KILLS ?? 3)
const args = ['start', '--nvm', '2', '--nrouters', '1', '--ntesters', '1']

// The promise of docs/architecture.md: the kernel takes everything away, whenever the owner is killed.
test.for(['root', 'an ordinary user'])(
  `${rounds} times kill -9 of the owner at a random moment of a start by %s: clean each time`,
  { timeout: (rounds + 2) * 60_000 },
  async (who, { skip }) => {
    const user = who === 'root' ? undefined : new OrdinaryUser()
    const why = user?.whyNot()
    skip(why !== undefined, why)
    const xc = new Xc(user && { user })
    const census = await takeCensus({ directories: [xc.runtime] })
    await xc.good(args) // makes the templates that may be missing
    await xc.good(['stop'])
    const began = systemClock.now()
    await xc.good(args)
    let wholeStart = systemClock.now() - began
    await xc.good(['stop'])
    await census.expectUnchanged()
    const slowest = { ms: 0 }
    for (let round = 1; round <= rounds; round++) {
      const moment = Math.random() * wholeStart
      const { said, cleanAfter, readyAfter } = await killAt(xc, moment)
      wholeStart = readyAfter ?? wholeStart // the machine is less busy now
      await census.expectUnchanged()
      expect(readdirSync(xc.runtime)).toEqual([])
      slowest.ms = Math.max(slowest.ms, cleanAfter)
      console.log(
        `${round}: killed after ${moment.toFixed(0)} ms, clean ${cleanAfter.toFixed(0)} ms later; ${said}`,
      )
    }
    console.log(
      `${rounds} of ${rounds} clean; no process was left ${slowest.ms.toFixed(0)} ms after the kill`,
    )
  },
)

interface Kill {
  /** The last words of `xc start`. */
  readonly said: string
  /** Milliseconds from the kill to no process left. */
  readonly cleanAfter: number
  /** How old the owner was, when it had become ready before that. */
  readonly readyAfter: number | undefined
}

/** Resolves when `xc start` has ended, which removes what the kernel leaves; when it had won, `ls` does. */
async function killAt(xc: Xc, moment: number): Promise<Kill> {
  const begun = xc.begin(args)
  const pid = await waitFor(() => ownerOf(begun), 20_000)
  if (pid === undefined) throw new Error(`no owner came up:\n${begun.stderr}`)
  const found = systemClock.now()
  await Promise.race([pause(moment), begun.result])
  process.kill(pid, 'SIGKILL')
  const killed = systemClock.now()
  // 20 ms for each tap that the kernel has to close, on top of a second (docs/network.md).
  // An owner whose first thread is a zombie holds its lock until the others have ended.
  await waitFor(() => !isAlive(pid) && descendants().every(each => each.pid === begun.child.pid), 5_000)
  const cleanAfter = systemClock.now() - killed
  const { status } = await begun.result
  await xc.run(['ls'])
  const words = begun.stderr.trim().split('\n').at(-1) ?? ''
  if (status !== 0) return { said: words, cleanAfter, readyAfter: undefined }
  return { said: 'it had just become ready', cleanAfter, readyAfter: killed - found }
}

/** The owner names itself once it runs, and is a plain Node with its script before. */
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
