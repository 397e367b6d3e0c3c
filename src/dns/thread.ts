import { parentPort, workerData } from 'node:worker_threads'
import { openDns } from './open.ts'
import type { ThreadOptions, ThreadOrder, ThreadReport } from './threads.ts'

const port = parentPort!
const say = (report: ThreadReport) => port.postMessage(report)
const options: ThreadOptions = workerData
const dns = await openDns({ ...options, notice: text => say({ is: 'notice', text }) })

port.on('message', async (order: ThreadOrder) => {
  if (order === 'snapshot') return say({ is: 'snapshot', snapshot: dns.snapshot() })
  if (order === 'reload') {
    await dns.reload()
    return say({ is: 'done' })
  }
  await dns.close()
  port.close()
})
say({ is: 'ready', places: dns.places })
