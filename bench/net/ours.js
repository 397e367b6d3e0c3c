// @ts-check
// The calls of a cluster's start and stop, in a Node that does nothing else: otherwise the loader and the
// heap of the benchmark runner would be measured too. It imports the library, or loads the packed module that
// it is given and takes a lock, as the owner's main module loads the owner and takes the cluster's, and reports how long
// that took. A message with a plan makes the network, a message without one removes it.

import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

const [, , packed] = process.argv
const built = new URL('../../dist/net/index.js', import.meta.url).href
const began = performance.now()
/** @type {typeof import('../../src/net/index.ts')} */
const { openBridgeFabric } = packed ? await asOwner(packed) : await import(built)
const loaded = performance.now() - began

/** Loads the module, and does what an owner has done before its network: the lock loads the addon, the file libuv's pool. */
async function asOwner(/** @type {string} */ module) {
  const { load } = (await import('../../bin/load.js')).default
  const net = load(module)
  const lock = load(join(dirname(module), 'sys.js')).lockFile(`${module}.lock`)
  await readFile(`${module}.lock`)
  await lock.close()
  return net
}

/** @type {import('../../src/net/index.ts').BridgeFabric | undefined} */
let fabric

async function create(/** @type {import('../../src/net/index.ts').BridgePlan} */ plan) {
  const began = performance.now()
  fabric = await openBridgeFabric(plan)
  return { ms: performance.now() - began, path: fabric.namespace.path }
}

async function remove() {
  const began = performance.now()
  await fabric?.close()
  return { ms: performance.now() - began }
}

process.send?.({ ms: loaded })
process.on('message', (/** @type {{ plan?: import('../../src/net/index.ts').BridgePlan }} */ { plan }) => {
  const failed = (/** @type {unknown} */ failure) => ({ failure: `${failure}` })
  void (plan ? create(plan) : remove()).catch(failed).then(answer => process.send?.(answer))
})
