import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openRoute, veth } from '../../src/rtnl/index.ts'
import { NetNamespace } from '../../src/sys/index.ts'
import { inNamespace } from './namespace.ts'
import { waitFor } from './wait.ts'

/** Addresses for "the internet", from the networks for documentation (RFC 5737, RFC 3849). */
export const internet = { ipv4: '203.0.113.1', ipv6: '2001:db8:113::1' } as const

/**
 * A namespace in the role of the host, and one behind it in the role of the internet. The internet has routes to the
 * host's own addresses only, so that packets without masquerading get no answer.
 */
export class Outside implements AsyncDisposable {
  readonly host = NetNamespace.create()
  readonly internet = NetNamespace.create()
  /** The directory for the record of the host's sysctls. */
  readonly records = mkdtempSync(join(tmpdir(), 'xc-records-'))

  async connect(): Promise<this> {
    await using host = openRoute({ namespace: this.host })
    await using away = openRoute({ namespace: this.internet })
    await host.links.change({ name: 'lo', up: true })
    await host.links.add(veth({ name: 'eth0', peer: { name: 'eth0', namespace: this.internet } }))
    const ends = [
      [away, internet.ipv4, internet.ipv6],
      [host, '203.0.113.2', '2001:db8:113::2'],
    ] as const
    for (const [route, ipv4, ipv6] of ends)
      await route.batch(({ links, addresses }) => {
        links.change({ name: 'eth0', up: true })
        addresses.add({ link: 'eth0', address: ipv4, prefix: 24, noDad: true })
        addresses.add({ link: 'eth0', address: ipv6, prefix: 64, noDad: true })
      })
    await waitFor(async () => (await host.links.get('eth0')).operState === 'up')
    // The kernel adds an address's own route later, from a work queue (addrconf_dad_work).
    const own = ['ip', '-6', 'route', 'show', 'table', 'local', '2001:db8:113::2']
    await waitFor(async () => (await inNamespace(this.host, own)).stdout !== '')
    return this
  }

  /** The host's links, addresses, routes, rules, packet filters and sysctls, without the links' carrier state. */
  async looks(): Promise<string[]> {
    const commands = [
      'ip -o link',
      'ip -o addr',
      'ip route show table all',
      'ip -6 route show table all',
      'ip rule; ip -6 rule',
      'nft list ruleset',
      'grep -rs . /proc/sys/net',
    ]
    const outputs = await Promise.all(
      commands.map(each => inNamespace(this.host, ['sh', '-c', `${each}; true`])),
    )
    const lines = outputs.flatMap(({ stdout }) => stdout.replaceAll(carrier, '').split('\n'))
    return lines.filter(line => line && !volatile.test(line))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.host.close()
    await this.internet.close()
  }
}

const carrier = /NO-CARRIER,|,LOWER_UP|(?<= )(state (UP|DOWN|UNKNOWN|LOWERLAYERDOWN)|linkdown) /g

/** Values that change by themselves: counters, link-local addresses of the kernel, secrets, expiry. */
const volatile = /fe80::|multicast ff00::|nf_conntrack_(count|buckets)|random|stable_secret|\bexpires\b/

/** Lines that only one of the two has: `- removed`, `+ added`. */
export function differences(before: readonly string[], after: readonly string[]): string[] {
  const removed = before.filter(line => !after.includes(line)).map(line => `- ${line}`)
  return [...removed, ...after.filter(line => !before.includes(line)).map(line => `+ ${line}`)]
}
