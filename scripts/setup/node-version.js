// @ts-check
import { readFileSync } from 'node:fs'
import { SetupFailure } from './failure.js'
import { inProject } from './project.js'

/** Refuses a Node that is older than package.json requires. */
export function requireNode() {
  const wanted = JSON.parse(readFileSync(inProject('package.json'), 'utf8')).engines.node.replace('>=', '')
  if (isOlder(process.versions.node, wanted))
    throw new SetupFailure(
      `xcluster needs Node ${wanted} or newer, and this is ${process.versions.node}: install a newer Node and try again.`,
      { status: 4, code: 'NODE_OLD' },
    )
}

/**
 * @param {string} version
 * @param {string} wanted
 */
function isOlder(version, wanted) {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [wantedMajor = 0, wantedMinor = 0] = wanted.split('.').map(Number)
  return major < wantedMajor || (major === wantedMajor && minor < wantedMinor)
}
