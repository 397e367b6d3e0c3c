// @ts-check
import { spawnSync } from 'node:child_process'
import { foreground } from './setup/foreground.js'
import { everything, prepare } from './setup/prepare.js'
import { inProject } from './setup/project.js'

const xc = inProject('bin/xc.js')

/** The main job: the default cluster with one tester. Arguments of `npm start -- …` go to `xc start`. */
async function start(/** @type {readonly string[]} */ args) {
  if (args.length === 0 && isRunning()) return showRunning()
  return foreground([xc, 'start', '--ntesters', '1', '--check', ...args])
}

function isRunning() {
  return spawnSync(process.execPath, [xc, 'status', '--json'], { stdio: 'ignore' }).status === 0
}

/** Nothing to start: success only if what runs is whole. */
async function showRunning() {
  process.stderr.write('The default cluster is already running.\n')
  await foreground([xc, 'status'])
  const { stdout } = spawnSync(process.execPath, [xc, 'status', '--json'], { encoding: 'utf8' })
  const { nodes } = /** @type {{ nodes: { name: string, state: string }[] }} */ (JSON.parse(stdout))
  const down = nodes.filter(({ state }) => state !== 'ready').map(({ name, state }) => `${name} is ${state}`)
  if (down.length === 0) return 0
  process.stderr.write(`But ${down.join(', ')}. To start afresh: npx xc stop && npm start\n`)
  return 1
}

process.exitCode = (await prepare(everything())) || (await start(process.argv.slice(2)))
