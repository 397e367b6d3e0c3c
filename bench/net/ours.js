// @ts-check
// What a cluster's start and stop call, in a Node that does nothing else: the loader and the heap of who runs the
// benchmarks would be measured with it. Says how long the import took; told a plan it makes the network, told nothing
// it removes it.

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
