// @ts-check
import { debianPackages } from './debian.js'
import { SetupFailure } from './failure.js'
import { guestImage, guestPackages } from './guest.js'
import { lockFolder } from './lock.js'
import { nodeModules } from './modules.js'
import { native } from './native.js'
import { requireNode } from './node-version.js'
import { programs } from './programs.js'
import { Progress } from './progress.js'
import { logName, startLog } from './project.js'
import { carryOut } from './steps.js'
import { typescript } from './typescript.js'

/** The parts to build after a change: the addon, the launcher, dist/ and the programs in it. */
export const building = () => [native(), typescript(), programs()]

/**
 * Everything between a fresh clone and a machine that can start a cluster. It starts nothing, and skips what
 * is up to date.
 * @param {{ tests?: boolean }} [options] `tests`: includes what only the tests need
 */
export const everything = ({ tests = false } = {}) => [
  debianPackages({ tests }),
  nodeModules(),
  ...building(),
  guestPackages(),
  guestImage(),
]

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
  process.stderr.write(`${error.message}\n`)
  if (error.tail.length > 0) process.stderr.write(`All of its output is in ${logName}.\n`)
  return error.status
}
