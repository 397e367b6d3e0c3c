// @ts-check
import { SetupFailure } from './failure.js'
import { logName } from './project.js'

/**
 * @typedef {object} Step
 * @property {string} title
 * @property {() => string | undefined | Promise<string | undefined>} isDone a word when nothing is to be done
 * @property {(say: (text: string) => void) => Promise<string>} run does it; `say` shows how far it is
 */

/**
 * Carries out the steps in order. The first one that fails ends it.
 * @param {readonly Step[]} steps
 * @param {import('./progress.js').Progress} progress
 */
export async function carryOut(steps, progress) {
  for (const step of steps) {
    progress.begin(step.title)
    try {
      const word = await step.isDone()
      if (word) progress.skip(word)
      else {
        progress.work()
        progress.end(await step.run(text => progress.say(text)))
      }
    } catch (error) {
      progress.fail()
      throw asFailure(step.title, error)
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
  return new SetupFailure(`${title}: ${reason}. More may be in ${logName}.`)
}
