import { readdirSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { systemClock } from '../../../src/base/index.ts'
import { type Census, takeCensus } from '../../support/leaks.ts'
import { OrdinaryUser } from '../../support/ordinary-user.ts'
import { descendants, isAlive } from '../../support/processes.ts'
import { findVictim, type Victim, victims } from '../../support/victims.ts'
import { waitFor } from '../../support/wait.ts'
import { type RunningXc, Xc } from '../../support/xc.ts'

/** Kills of each kind of process by each user. bench/kill9.sh sets more. */
const rounds = Number(process.env.KILLS ?? 1)
const args = ['start', '--nvm', '2', '--nrouters', '1', '--ntesters', '1']

// The promise of docs/architecture.md: the kernel removes everything, whatever is killed and when.
describe.for(['root', 'an unprivileged user'])('kill -9 in a start by %s', starter => {
  test.for(victims)(
    `of its %s while it starts a cluster, ${rounds} times, leaves nothing behind`,
    { timeout: (rounds + 2) * 60_000 },
    async (victim, { skip }) => {
      const user = starter === 'root' ? undefined : new OrdinaryUser()
      const why = user?.whyNot()
      skip(why !== undefined, why)
      const xc = new Xc(user && { user })
      const census = await takeCensus({ directories: [xc.runtime] })
      await xc.good(args) // makes templates that are missing
      await xc.good(['stop'])
      const start = new KilledStart(xc, victim, census)
      for (let round = 1; round <= rounds; round++) console.log(`${victim} ${round}: ${await start.next()}`)
    },
  )
})

/** Starts of which one process is killed. */
class KilledStart {
  readonly #xc: Xc
  readonly #victim: Victim
  readonly #census: Census
  /** How long a whole start takes, in milliseconds. */
  #whole = 700

  constructor(xc: Xc, victim: Victim, census: Census) {
    this.#xc = xc
    this.#victim = victim
    this.#census = census
  }

  /** Starts until a process could be killed, and says when it was. Throws when anything is left. */
  async next(): Promise<string> {
    for (let attempt = 0; attempt < 20; attempt++) {
      // Launchers live for milliseconds early in a start: the first one that is seen.
      const moment = this.#victim === 'launcher' ? 0 : Math.random() * this.#whole
      const begun = this.#xc.begin(args)
      const killed = await this.#killAt(begun, moment)
      await this.#settled(begun)
      await this.#census.expectUnchanged()
      expect(readdirSync(this.#xc.runtime)).toEqual([])
      const last = begun.stderr.trim().split('\n').at(-1) ?? ''
      if (killed) return `killed after ${moment.toFixed(0)} ms in start ${attempt + 1}, nothing left; ${last}`
    }
    throw new Error(`no ${this.#victim} could be found in 20 starts`)
  }

  /** False when the start was over before such a process was seen. */
  async #killAt(begun: RunningXc, moment: number): Promise<boolean> {
    await waitFor(() => findVictim('owner'), 20_000)
    const began = systemClock.now()
    let ended = false
    void begun.result.then(({ status }) => {
      ended = true
      if (status === 0) this.#whole = systemClock.now() - began
    })
    await Promise.race([pause(moment), begun.result])
    const pid = await waitFor(() => ended || findVictim(this.#victim), 20_000)
    if (typeof pid !== 'number') return false
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      return false // it has just ended
    }
    await waitFor(() => !isAlive(pid), 5_000)
    return true
  }

  /**
   * Waits until the start has failed or is complete, and stops what is complete. `xc ls` removes the files of an owner
   * that was killed.
   */
  async #settled(begun: RunningXc): Promise<void> {
    await begun.result
    const gone = () => descendants().length === 0
    // The kernel needs a second, and 20 ms for each tap (docs/network.md).
    const over = await waitFor(async () => gone() || (await this.#ready()), 10_000)
    if (!over) throw new Error('the start neither ends nor gets ready')
    if (!gone()) await this.#xc.good(['stop'])
    await this.#xc.good(['ls'])
  }

  async #ready(): Promise<boolean> {
    const { status, stdout } = await this.#xc.run(['status', '--json'])
    return status === 0 && JSON.parse(stdout).state === 'ready'
  }
}
