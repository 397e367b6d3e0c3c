import { hostId } from '../base/index.ts'
import { dnat, match, transactionBytes } from '../nft/index.ts'
import { ipv4On } from '../plan/index.ts'
import type { GuestStep } from './step.ts'

const [usualPort, ownPort] = [53, 10053]

/**
 * In user space a guest reaches only the loopback of this machine, where port 53 is not ours: what it asks of
 * 192.168.0.250 goes to the port that the forwarder has there. Also what it forwards for others, such as pods.
 */
export function dnsRedirect(port: number): GuestStep {
  const address = ipv4On(0, hostId)
  const from = [usualPort, ownPort].filter(asked => asked !== port)
  const table = { family: 'ip', name: 'xcluster_dns' } as const
  const bytes = transactionBytes(({ tables, chains, rules }) => {
    tables.add(table)
    for (const chain of ['output', 'prerouting'] as const) {
      chains.add({ table, name: chain, type: 'nat', hook: chain, priority: 'dstnat', policy: 'accept' })
      for (const asked of from)
        for (const dport of [match.udp.dport(asked), match.tcp.dport(asked)])
          rules.add({ table, chain, statements: [match.ip.daddr(address), dport, dnat({ address, port })] })
    }
  })
  return { kind: 'netfilter', bytes, about: `send DNS for ${address} to port ${port}` }
}
