// @ts-check
import { spawnSync } from 'node:child_process'
import { everything } from './setup/everything.js'
import { foreground } from './setup/foreground.js'
import { prepare } from './setup/prepare.js'
import { inProject } from './setup/project.js'

const xc = inProject('bin/xc.js')

/** The main job: starts the default cluster with one tester. Arguments of `npm start -- …` go to `xc start`. */
async function start(/** @type {readonly string[]} */ args) {
  const running = args.length === 0 && statusOfDefault()
  if (running) return showRunning(running)
  return foreground([xc, 'start', '--ntesters', '1', '--check', ...args])
}

/** @returns {{ nodes: { name: string, state: string }[] } | undefined} undefined when the cluster does not run */
function statusOfDefault() {
  const { status, stdout } = spawnSync(process.execPath, [xc, 'status', '--json'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  return status === 0 ? JSON.parse(stdout) : undefined
}

/** The cluster runs already: success only if all nodes are ready and reach each other. */
async function showRunning(/** @type {{ nodes: { name: string, state: string }[] }} */ { nodes }) {
  process.stderr.write('The default cluster is already running.\n')
  await foreground([xc, 'status'])
  const down = nodes.filter(({ state }) => state !== 'ready').map(({ name, state }) => `${name} is ${state}`)
  if (down.length === 0) return foreground([xc, 'check'])
  process.stderr.write(`But ${down.join(', ')}. To start it again: npx xc stop && npm start\n`)
  return 1
}

process.exitCode = (await prepare(everything())) || (await start(process.argv.slice(2)))
