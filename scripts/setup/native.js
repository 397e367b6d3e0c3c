// @ts-check
import {
  accessSync,
  constants,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { SetupFailure } from './failure.js'
import { filesBelow, fingerprint, inProject, isStamped, writeStamp } from './project.js'
import { run } from './run.js'

const stamp = 'build/.native-stamp'
const results = ['xcluster.node', 'xcluster-launcher', 'xcluster-qemu.so', 'xcluster-guest'].map(
  name => `build/Release/${name}`,
)

/** The addon, the launcher, the guest program and what QEMU loads, built by node-gyp. */
export const native = () => ({
  title: 'Native addon and launcher',
  /** @param {import('./steps.js').Say} say */
  async run(say) {
    const before = mark()
    if (isStamped(stamp, before, results)) return 'up to date'
    await buildNative(say)
    writeStamp(stamp, before)
    return 'built'
  },
})

/**
 * Builds all of native/ into build/Release: each is the old file or the whole new one.
 * @param {import('./steps.js').Say} say
 */
export async function buildNative(say) {
  say('node-gyp')
  makeBuildFolder()
  const work = inProject(`build/native-${process.pid}`)
  try {
    stageSources(work)
    const [file, ...args] = nodeGyp()
    await run(file, [...args, 'configure', 'build', `--directory=${work}`, ...headers()], {
      remedy: 'It needs python3, make and g++; the messages of the compiler are above.',
      onLine: say,
    })
    mkdirSync(inProject('build/Release'), { recursive: true })
    for (const file of results) renameSync(join(work, file), inProject(file))
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/**
 * Copies what is built into a folder for node-gyp, which wants binding.gyp at its top. At the top of a package, npm and
 * pnpm would take that file for an install script.
 * @param {string} work
 */
export function stageSources(work) {
  cpSync(inProject('native'), join(work, 'native'), { recursive: true })
  renameSync(join(work, 'native/binding.gyp'), join(work, 'binding.gyp'))
}

function makeBuildFolder() {
  const build = inProject('build')
  try {
    // mkdir answers ENOENT on a read-only file system.
    accessSync(existsSync(build) ? build : inProject(), constants.W_OK)
    mkdirSync(build, { recursive: true })
  } catch (failure) {
    const { code } = /** @type {NodeJS.ErrnoException} */ (failure)
    const sentence = `The native code has to be built, and ${build} cannot be written (${code}). Run this as the user that the folder belongs to, on a file system that can be written.`
    throw new SetupFailure(sentence, { status: 4, code: 'PACKAGE_READ_ONLY' })
  }
}

/**
 * The command that runs node-gyp: a development dependency, which npm fetches where it is not installed.
 * @returns {[string, ...string[]]}
 */
function nodeGyp() {
  const installed = inProject('node_modules/node-gyp/bin/node-gyp.js')
  if (existsSync(installed)) return [process.execPath, installed]
  const { devDependencies } = JSON.parse(readFileSync(inProject('package.json'), 'utf8'))
  return ['npm', 'exec', '--yes', `--package=node-gyp@${devDependencies['node-gyp']}`, '--', 'node-gyp']
}

function mark() {
  return fingerprint(filesBelow('native'), [process.versions.modules, process.versions.uv, process.arch])
}

/** The headers that came with this Node, if any: otherwise node-gyp downloads them. */
export function headers() {
  const prefix = dirname(dirname(realpathSync(process.execPath)))
  const header = join(prefix, 'include/node/node.h')
  return statSync(header, { throwIfNoEntry: false }) ? [`--nodedir=${prefix}`] : []
}
