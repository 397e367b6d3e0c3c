// @ts-check
import { SetupFailure } from './failure.js'
import { lockFolder } from './lock.js'
import { requireNode } from './node-version.js'
import { Progress } from './progress.js'
import { logName, startLog } from './project.js'
import { carryOut } from './steps.js'

/**
 * Carries out steps. One set-up at a time runs in this folder. Reports a failure, and returns the exit
 * status.
 * @param {readonly import('./steps.js').Step[]} steps
 * @returns {Promise<number>} 0 when all steps are done
 */
export async function prepare(steps) {
  const progress = new Progress()
  try {
    requireNode()
    const release = await lockFolder(() =>
      progress.note('Another set-up is running in this folder; waiting for it.'),
    )
    try {
      startLog()
      await carryOut(steps, progress)
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
