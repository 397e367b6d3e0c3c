import { parentPort } from 'node:worker_threads'
import { messageOf } from '../../../src/base/index.ts'
import { launch } from '../../../src/sys/index.ts'

try {
  launch({ file: '/bin/true' })
  parentPort!.postMessage('started')
} catch (failure) {
  parentPort!.postMessage(messageOf(failure))
}
