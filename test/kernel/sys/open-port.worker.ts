import { parentPort, workerData } from 'node:worker_threads'

const { openNetlink } = (await import(workerData)) as typeof import('../../../src/sys/index.ts')
// Left open on purpose: the worker's environment ends while the handle is active.
openNetlink('route', { groups: [1] }).receive({ data() {}, end() {} })
parentPort!.postMessage('open')
