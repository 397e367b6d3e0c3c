import { launch, NetNamespace } from '../../../src/sys/index.ts'
import { unprivileged } from '../../support/rights.ts'

// One with another identity, in another namespace, and one without: both must die with this process.
const spec = { file: '/bin/sh', args: ['-c', 'echo running; exec sleep 60'] }
const children = [launch({ ...spec, identity: unprivileged, namespace: NetNamespace.create() }), launch(spec)]

const test = process.ppid

/** The death signal is armed once the program itself runs: before, its check of the parent would do. */
function whenRunning(): void {
  if (process.ppid !== test) process.exit(1) // nobody waits for it any more
  if (children.some(child => child.stdout() === '')) setImmediate(whenRunning)
  else console.log(JSON.stringify(children.map(({ pid }) => pid)))
}
whenRunning()
