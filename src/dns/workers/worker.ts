import { parentPort, workerData } from 'node:worker_threads'
import { errorToJson } from '../../base/index.ts'
import { trace } from '../observe/trace.ts'
import { type Dns, openDns } from '../open.ts'
import type { ThreadData, ThreadOrder, ThreadReport } from './pool.ts'

// It has no top-level `await`: a module with one cannot be packed as CommonJS.
const port = parentPort!
const say = (report: ThreadReport) => port.postMessage(report)
const { options, traced }: ThreadData = workerData
if (traced) trace.listen(message => say({ is: 'trace', message }))

void work()

async function work(): Promise<void> {
  try {
    const dns = await openDns({ ...options, notice: text => say({ is: 'notice', text }) })
    port.on('message', (order: ThreadOrder) => void obey(dns, order))
    say({ is: 'ready', places: dns.places })
  } catch (failure) {
    say({ is: 'failed', error: errorToJson(failure) })
  }
}

async function obey(dns: Dns, order: ThreadOrder): Promise<void> {
  if (order === 'snapshot') return say({ is: 'snapshot', snapshot: dns.snapshot() })
  try {
    await (order === 'reload' ? dns.reload() : dns.close())
    say({ is: 'done' })
  } catch (failure) {
    say({ is: 'failed', error: errorToJson(failure) })
  }
  if (order === 'close') port.close()
}
