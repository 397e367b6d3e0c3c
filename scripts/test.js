// @ts-check
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { everything } from './setup/everything.js'
import { foreground } from './setup/foreground.js'
import { prepare } from './setup/prepare.js'
import { inProject } from './setup/project.js'

/** Runs all suites, or those that the arguments of `npm test -- …` choose. Returns vitest's exit status. */
async function test(/** @type {readonly string[]} */ args) {
  const folder = mkdtempSync(join(tmpdir(), 'xcluster-test-'))
  const results = join(folder, 'results.json')
  try {
    const vitest = inProject('node_modules/vitest/vitest.mjs')
    const reporters = ['--reporter=default', `--reporter=${inProject('scripts/test/reporter.js')}`]
    const status = await foreground([vitest, 'run', ...reporters, ...args], {
      XCLUSTER_TEST_RESULTS: results,
    })
    return summarise(readResults(results), status)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/**
 * @param {string} file
 * @returns {import('./test/reporter.js').Results | undefined}
 */
function readResults(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}

/**
 * Prints the skipped and the unsteady tests with their reasons, and the closing line with the counts.
 * @param {import('./test/reporter.js').Results | undefined} results none: the runner failed or had nothing to
 * run
 * @param {number} status
 */
function summarise(results, status) {
  const { passed, failed, skipped, unsteady } = results ?? { passed: 0, failed: 1, skipped: [], unsteady: [] }
  list('Skipped:', skipped)
  list('Failed first, passed when repeated:', unsteady)
  console.log(closingLine(passed, failed, skipped.length))
  return status || (failed > 0 ? 1 : 0)
}

/**
 * @param {string} title
 * @param {readonly { name: string, reason: string }[]} tests
 */
function list(title, tests) {
  if (tests.length > 0) console.log(title)
  for (const { name, reason } of tests) console.log(`  ${name}: ${reason}`)
}

/**
 * @param {number} passed
 * @param {number} failed
 * @param {number} skipped
 */
function closingLine(passed, failed, skipped) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}

const status = await prepare(everything({ tests: true }))
if (status) console.log(closingLine(0, 1, 0))
process.exitCode = status || (await test(process.argv.slice(2)))
