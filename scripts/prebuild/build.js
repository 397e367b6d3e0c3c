// @ts-check
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { command } from '../setup/command.js'
import { headers, stageSources } from '../setup/native.js'
import { filesBelow, fingerprint, inProject, isStamped } from '../setup/project.js'
import { check } from './check.js'
import { targets } from './targets.js'

/**
 * Brings prebuilds/ up to date. Resolves with what each file needs, and a sentence for each platform that was left out.
 * @param {string} [parent] the folder
 */
export async function prebuildAll(parent = inProject('prebuilds')) {
  /** @type {import('./check.js').Needs[]} */
  const built = []
  /** @type {string[]} */
  const left = []
  for (const target of targets) {
    const { arch } = target
    const compiler = toolOf(target, 'gcc')
    const version = spawnSync(compiler, ['--version'], { encoding: 'utf8' })
    if (version.error)
      left.push(`linux-${arch}: left out, because ${compiler} is missing (Debian: ${target.package})`)
    else built.push(...(await prebuild(target, { parent, compiler: version.stdout })))
  }
  return { built, left }
}

/**
 * Builds and checks the native code for one platform, in a folder of its own. `linux-ARCH` is complete or absent, and
 * stays when it is of the same sources and compiler.
 * @param {import('./targets.js').Target} target
 * @param {{ parent: string, compiler: string }} options
 */
async function prebuild(target, { parent, compiler }) {
  const place = join(parent, `linux-${target.arch}`)
  const stamp = `${place}.stamp`
  const mark = fingerprint([...filesBelow('native'), ...filesBelow('scripts/prebuild')], [compiler])
  if (!isStamped(relative(inProject(), stamp), mark, [relative(inProject(), place)])) {
    await build(target, place)
    writeFileSync(stamp, mark)
  }
  return Promise.all(target.artefacts.map(name => check(join(place, name), target)))
}

/**
 * @param {import('./targets.js').Target} target
 * @param {string} place
 */
async function build(target, place) {
  const work = mkdtempSync(join(tmpdir(), 'xc-prebuild-'))
  try {
    stageSources(work)
    await compile(target, work)
    const draft = `${place}.${process.pid}`
    mkdirSync(draft, { recursive: true })
    for (const name of target.artefacts) cpSync(join(work, 'build/Release', name), join(draft, name))
    await command(toolOf(target, 'strip'), ['--strip-unneeded', join(draft, 'xcluster.node')])
    await Promise.all(target.artefacts.map(name => check(join(draft, name), target)))
    rmSync(place, { recursive: true, force: true })
    renameSync(draft, place)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** @type {(target: import('./targets.js').Target, work: string) => Promise<string>} */
function compile(target, work) {
  const gyp = inProject('node_modules/node-gyp/bin/node-gyp.js')
  const tools = { CC: toolOf(target, 'gcc'), CXX: toolOf(target, 'gcc'), AR: toolOf(target, 'ar') }
  // The paths of this machine stay out of the files, and the same source gives the same bytes.
  const env = { ...tools, CFLAGS: `-ffile-prefix-map=${work}=.`, LDFLAGS: '-Wl,--build-id=none' }
  return command(
    process.execPath,
    [gyp, 'rebuild', `--directory=${work}`, `--arch=${target.arch}`, ...headers()],
    {
      env,
    },
  )
}

/** @type {(target: import('./targets.js').Target, tool: string) => string} */
const toolOf = ({ triple }, tool) => `${triple}-${tool}`
