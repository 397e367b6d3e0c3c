import { parentPort, workerData } from 'node:worker_threads'

const { sys, closes } = workerData as { sys: string; closes: boolean }
const { Memfd, NetNamespace, adoptStream, closeFd, openNetlink, openTaps, readSysctl, socketPair } =
  (await import(sys)) as typeof import('../../../src/sys/index.ts')

// One of each kind that holds a descriptor.
const namespace = NetNamespace.create()
const same = NetNamespace.open(namespace.path)
const taps = await openTaps(['t1', 't2'], { namespace })
const memfd = new Memfd('worker')
const netlink = openNetlink('route', { namespace })
const [near, far] = socketPair()
const stream = adoptStream(near)
readSysctl(namespace, 'net/ipv4/ip_forward')
if (closes) {
  await Promise.all([...taps, netlink, stream].map(each => each.close()))
  await Promise.all([memfd, same, namespace].map(each => each.close()))
  closeFd(far)
}
parentPort!.postMessage('open')
if (!closes) setInterval(() => {}, 1000) // until it is terminated
