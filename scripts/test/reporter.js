// @ts-check
import { writeFileSync } from 'node:fs'

/**
 * @typedef {object} Results
 * @property {number} passed
 * @property {number} failed tests, files that did not load, and errors that no test caught
 * @property {{ name: string, reason: string }[]} skipped
 * @property {{ name: string, reason: string }[]} unsteady tests that failed first and passed when they were repeated
 */

/** A vitest reporter that writes the counts to the file that XCLUSTER_TEST_RESULTS names. */
export default class CountingReporter {
  /**
   * @param {readonly import('vitest/node').TestModule[]} modules
   * @param {readonly unknown[]} unhandledErrors
   */
  onTestRunEnd(modules, unhandledErrors) {
    const file = process.env.XCLUSTER_TEST_RESULTS
    if (file) writeFileSync(file, JSON.stringify(count(modules, unhandledErrors.length)))
  }
}

/**
 * @param {readonly import('vitest/node').TestModule[]} modules
 * @param {number} unhandled
 * @returns {Results}
 */
function count(modules, unhandled) {
  const suites = modules.flatMap(module => [module, ...module.children.allSuites()])
  const tests = modules.flatMap(module => [...module.children.allTests()])
  const states = tests.map(test => test.result().state)
  const brokenSuites = suites.filter(suite => suite.errors().length > 0).length
  return {
    passed: states.filter(state => state === 'passed').length,
    failed: states.filter(state => state === 'failed').length + brokenSuites + unhandled,
    skipped: tests.filter(test => test.result().state === 'skipped').map(describeSkipped),
    unsteady: tests.filter(test => test.diagnostic()?.flaky).map(describeUnsteady),
  }
}

/** @param {import('vitest/node').TestCase} test */
function describeSkipped(test) {
  const result = test.result()
  const note = result.state === 'skipped' ? result.note : undefined
  return { name: `${test.project.name}: ${test.fullName}`, reason: note || 'no reason given' }
}

/** @param {import('vitest/node').TestCase} test */
function describeUnsteady(test) {
  const [first] = test.result().errors ?? []
  return { name: `${test.project.name}: ${test.fullName}`, reason: first?.message ?? 'no error given' }
}
