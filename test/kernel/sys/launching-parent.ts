import { launch, NetNamespace } from '../../../src/sys/index.ts'

// One with another identity, in another namespace, and one without: both must die with this process.
const sleep = { file: '/bin/sleep', args: ['60'] }
const dropped = launch({ ...sleep, identity: { uid: 65534, gid: 65534 }, namespace: NetNamespace.create() })
const plain = launch({ file: '/bin/sh', args: ['-c', 'echo ready; exec sleep 60'] })

/** The signal is armed once the program itself runs. */
function whenRunning(): void {
  if (plain.stdout() === '') setImmediate(whenRunning)
  else console.log(JSON.stringify([dropped.pid, plain.pid]))
}
whenRunning()
