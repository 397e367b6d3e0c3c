import { addressBytes, addressText } from '../../base/index.ts'
import { networkOf } from '../../plan/index.ts'
import { openRoute } from '../../rtnl/index.ts'
import type { NetNamespace } from '../../sys/index.ts'
import { NetError } from '../errors.ts'
import { isCoded, type VethPair } from './veth-pair.ts'

const bridge = 'docker0'

/** Docker assigns addresses from the start of the network, so addresses for uplinks begin well after that. */
const firstNumber = 50

/**
 * A veth pair into Docker's bridge, with an address that is likely to be free: Docker is not asked. Docker
 * masquerades and forwards outside.
 */
export async function dockerVethPair(index: number, owner: string, outside: NetNamespace): Promise<VethPair> {
  await using route = openRoute({ namespace: outside })
  const link = await route.links.get(bridge).catch(failure => {
    throw isCoded(failure, 'NETLINK_NOT_FOUND') ? missing(failure) : failure
  })
  const gateways = (await route.addresses.list({ link: link.index })).filter(({ scope }) => scope === 0)
  const addresses = gateways.map(({ address, prefix }) => {
    const bytes = addressBytes(networkOf({ address, prefix }).address)
    const last = bytes.at(-1)! + firstNumber + index
    if (prefix > 8 * bytes.length - 6 || last > 254) throw tooNarrow(`${address}/${prefix}`, index)
    return { address: addressText(Uint8Array.of(...bytes.subarray(0, -1), last)), prefix }
  })
  return {
    outside: { name: `xcluster${index}`, master: bridge, addresses: [], routes: [] },
    inside: {
      name: `host${index}`,
      addresses,
      routes: gateways.map(({ address }) => ({ destination: 'default', via: address })),
    },
    alias: `xcluster ${owner}`,
  }
}

function missing(cause: Error): NetError {
  const reason = `the bridge ${bridge} does not exist`
  const remedy = 'Start Docker, or make a namespace without it'
  const about = { op: 'attach to', target: bridge, reason, remedy, cause }
  return new NetError({ ...about, code: 'DOCKER_MISSING', kind: 'prerequisite' })
}

function tooNarrow(subnet: string, index: number): NetError {
  const reason = `it has no address for uplink ${index}: the network must be a /26 or larger, and the number 1 to 200`
  return new NetError({ code: 'DOCKER_NARROW', op: 'take an address of', target: subnet, reason })
}
