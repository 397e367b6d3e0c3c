// @ts-check
import { SetupFailure } from './failure.js'
import { lockFolder } from './lock.js'
import { requireNode } from './node-version.js'
import { Progress } from './progress.js'
import { inProject, logName, startLog } from './project.js'
import { carryOut } from './steps.js'

const another = 'Another set-up is running in this folder; waiting for it.'

/** @typedef {readonly import('./steps.js').Step[]} Steps */

/**
 * Carries out steps. One set-up at a time runs in a folder. Reports a failure, and returns the exit status.
 * @param {Steps | (() => Steps)} steps a function may refuse what the user gave
 * @param {{ folder?: string, log?: string, busy?: string }} [place] `busy`: what is said while another one runs there
 * @returns {Promise<number>} 0 when all steps are done
 */
export async function prepare(steps, { folder = inProject(), log, busy = another } = {}) {
  const progress = new Progress()
  try {
    requireNode()
    const all = typeof steps === 'function' ? steps() : steps
    const release = await lockFolder(folder, () => progress.note(busy))
    try {
      startLog(log)
      await carryOut(all, progress)
      return 0
    } finally {
      release()
    }
  } catch (error) {
    return explain(error)
  }
}

/** @param {unknown} error */
function explain(error) {
  if (!(error instanceof SetupFailure)) throw error
  for (const line of error.tail) process.stderr.write(`  | ${line}\n`)
  process.stderr.write(`${error.message} (${error.code})\n`)
  if (error.tail.length > 0) process.stderr.write(`All of its output is in ${logName()}.\n`)
  return error.status
}
