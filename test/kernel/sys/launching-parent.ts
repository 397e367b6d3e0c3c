import { launch, NetNamespace } from '../../../src/sys/index.ts'
import { unprivileged } from '../../support/rights.ts'

// One child with another identity, in another namespace, and one without: both must die with this process.
const spec = { file: '/bin/sh', args: ['-c', 'echo running; exec sleep 60'] }
const children = [launch({ ...spec, identity: unprivileged, namespace: NetNamespace.create() }), launch(spec)]

const test = process.ppid

/**
 * The death signal can only be tested once the program itself runs: before that, the launcher's own check of
 * the parent would end it.
 */
function whenRunning(): void {
  if (process.ppid !== test) process.exit(1) // the test has ended
  if (children.some(child => child.stdout() === '')) setImmediate(whenRunning)
  else console.log(JSON.stringify(children.map(({ pid }) => pid)))
}
whenRunning()
