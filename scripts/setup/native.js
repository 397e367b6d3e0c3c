// @ts-check
import { realpathSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { filesBelow, fingerprint, inProject, isStamped, writeStamp } from './project.js'
import { run } from './run.js'

const stamp = 'build/.native-stamp'
const results = ['xcluster.node', 'xcluster-launcher', 'xcluster-guest'].map(name => `build/Release/${name}`)

/** The addon, the launcher and the guest program, built by node-gyp. */
export const native = () => ({
  title: 'Native addon and launcher',
  /** @param {import('./steps.js').Say} say */
  async run(say) {
    const before = mark()
    if (isStamped(stamp, before, results)) return 'up to date'
    say('node-gyp')
    const gyp = inProject('node_modules/node-gyp/bin/node-gyp.js')
    await run(process.execPath, [gyp, 'configure', 'build', ...headers()], {
      remedy: 'It needs python3, make and g++; the messages of the compiler are above.',
      onLine: say,
    })
    writeStamp(stamp, before)
    return 'built'
  },
})

function mark() {
  const sources = ['binding.gyp', ...filesBelow('native')]
  return fingerprint(sources, [process.versions.modules, process.versions.uv, process.arch])
}

/** The headers that came with this Node, if any: otherwise node-gyp downloads them. */
function headers() {
  const prefix = dirname(dirname(realpathSync(process.execPath)))
  const header = join(prefix, 'include/node/node.h')
  return statSync(header, { throwIfNoEntry: false }) ? [`--nodedir=${prefix}`] : []
}
