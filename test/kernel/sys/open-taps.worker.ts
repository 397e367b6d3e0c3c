import { parentPort, workerData } from 'node:worker_threads'

const { NetNamespace, openTaps } = (await import(workerData)) as typeof import('../../../src/sys/index.ts')
const namespace = NetNamespace.create()
const names = Array.from({ length: 200 }, (_, at) => `t${at}`)
const opening = openTaps(names, { namespace })
// Not needed any more: the thread that opens them has a file descriptor of its own, and the parent counts what is left.
await namespace.close()
parentPort!.postMessage('opening')
await opening
