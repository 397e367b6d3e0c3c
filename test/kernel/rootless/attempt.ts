import { readdirSync } from 'node:fs'
import { errorToJson } from '../../../src/base/index.ts'
import { openBridgeFabric } from '../../../src/net/index.ts'

// Makes a network as the current user, and prints the outcome and what is left of it.
const index = 100_000
const plan = {
  mtu: 1500,
  bridges: [{ net: 0, name: 'xcbr0', index, mac: '00:00:00:01:00:fa', addresses: [] }],
  taps: [{ node: 1, net: 0, name: 'xcbr0_t1', mac: '00:00:00:01:00:01' }],
}
const descriptors = () => readdirSync('/proc/self/fd').length

const before = descriptors()
const error = await openBridgeFabric(plan).then(
  fabric => fabric.close(),
  failure => errorToJson(failure),
)
console.log(JSON.stringify({ error, left: descriptors() - before }))
