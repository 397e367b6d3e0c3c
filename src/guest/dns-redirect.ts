import { hostId } from '../base/index.ts'
import { dnat, match, transactionBytes } from '../nft/index.ts'
import { ipv4On } from '../plan/index.ts'
import type { GuestStep } from './step.ts'

const [usualPort, ownPort] = [53, 10053]

/**
 * Redirects DNS in a guest. With a user-space network it reaches only the loopback of this machine, where port 53 does
 * not belong to the cluster. So its queries to 192.168.0.250, and those that it forwards for others such as pods, go
 * to the forwarder's port.
 */
export function dnsRedirect(port: number): GuestStep {
  const address = ipv4On(0, hostId)
  const redirected = [usualPort, ownPort].filter(each => each !== port)
  const table = { family: 'ip', name: 'xcluster_dns' } as const
  const bytes = transactionBytes(({ tables, chains, rules }) => {
    tables.add(table)
    for (const chain of ['output', 'prerouting'] as const) {
      chains.add({ table, name: chain, type: 'nat', hook: chain, priority: 'dstnat', policy: 'accept' })
      for (const each of redirected)
        for (const dport of [match.udp.dport(each), match.tcp.dport(each)])
          rules.add({ table, chain, statements: [match.ip.daddr(address), dport, dnat({ address, port })] })
    }
  })
  return { kind: 'netfilter', bytes, about: `redirect DNS for ${address} to port ${port}` }
}
