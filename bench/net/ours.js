// @ts-check
// The calls of a cluster's start and stop, in a Node that does nothing else: otherwise the loader and the
// heap of the benchmark runner would be measured too. It reports how long the import took. A message with a
// plan makes the network, a message without one removes it.

const began = performance.now()
const built = new URL('../../dist/net/index.js', import.meta.url).href
/** @type {typeof import('../../src/net/index.ts')} */
const { openBridgeFabric } = await import(built)
const loaded = performance.now() - began

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
