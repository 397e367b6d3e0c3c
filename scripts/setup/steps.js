// @ts-check
import { SetupFailure } from './failure.js'
import { logName } from './project.js'

/**
 * @typedef {object} Step
 * @property {string} title
 * @property {(say: Say) => Promise<string>} run checks whether there is work to do, does it, and returns a
 * word about the result. A run that never calls `say` had nothing to do.
 */

/** @typedef {(text: string) => void} Say reports progress, in place of the earlier report */

/**
 * Carries out the steps in order. The first failure ends it.
 * @param {readonly Step[]} steps
 * @param {import('./progress.js').Progress} progress
 */
export async function carryOut(steps, progress) {
  for (const { title, run } of steps) {
    progress.begin(title)
    try {
      progress.end(await run(text => progress.say(text)))
    } catch (error) {
      progress.fail()
      throw asFailure(title, error)
    }
  }
}

/**
 * @param {string} title
 * @param {unknown} error
 */
function asFailure(title, error) {
  if (error instanceof SetupFailure) return error
  const reason = error instanceof Error ? error.message : String(error)
  return new SetupFailure(`${title}: ${reason.replace(/\.$/, '')}. ${logName()} may have more.`)
}
