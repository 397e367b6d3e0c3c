// @ts-check
import { mkdirSync, readFileSync, readlinkSync, rmSync, symlinkSync } from 'node:fs'
import { fingerprint, inProject, isStamped, writeStamp } from './project.js'
import { run } from './run.js'

const stamp = 'node_modules/.xcluster-stamp'
const link = 'node_modules/.bin/xc'

/** The packages of package-lock.json, and `npx xc` as a link to the build here. */
export const nodeModules = () => ({
  title: 'Node modules',
  /** @param {import('./steps.js').Say} say */
  async run(say) {
    if (isStamped(stamp, mark()) && isLinked()) return 'up to date'
    if (!isStamped(stamp, mark())) {
      say('npm ci')
      await npmCi(say)
      writeStamp(stamp, mark())
    }
    linkCommand()
    return 'installed'
  },
})

/** The stamp is in node_modules, which `npm ci` removes first: an interrupted installation leaves none. */
function mark() {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(inProject('package.json'), 'utf8'))
  return fingerprint(['package-lock.json'], [JSON.stringify([dependencies, devDependencies])])
}

/** @param {import('./steps.js').Say} say */
function npmCi(say) {
  const args = ['ci', '--ignore-scripts', '--include=dev', '--include=optional', '--no-audit', '--no-fund']
  const remedy = 'Check that the npm registry can be reached (`npm ping`), then try again.'
  const npm = process.env.npm_execpath
  return npm
    ? run(process.execPath, [npm, ...args], { remedy, onLine: say })
    : run('npm', args, { remedy, onLine: say })
}

/**
 * npm links the commands of dependencies, not those of the project itself. Without this link `npx xc` would
 * ask the registry.
 */
function linkCommand() {
  mkdirSync(inProject('node_modules/.bin'), { recursive: true })
  rmSync(inProject(link), { force: true })
  symlinkSync('../../bin/xc.js', inProject(link))
}

function isLinked() {
  try {
    return readlinkSync(inProject(link)) === '../../bin/xc.js'
  } catch {
    return false
  }
}
