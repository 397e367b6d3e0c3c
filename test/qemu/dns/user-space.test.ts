import { expect } from 'vitest'
import { type Cluster, startCluster } from '../../../src/index.ts'
import { FakeUpstream } from '../../support/dns-upstream.ts'
import { test } from '../../support/leaks.ts'
import { freeNumbers } from '../../support/user-wiring.ts'
import { said } from '../cluster/guest-state.ts'

test('two user-space clusters have forwarders at their own ports, and their guests use port 53', async ({
  census,
}) => {
  {
    await using upstream = await FakeUpstream.open()
    await using one = await userSpace({ clone: 'always', upstream })
    await using other = await userSpace({ clone: 'off', upstream })
    const ports = [one, other].map(cluster => cluster.status().dns!)
    expect(ports.map(({ address }) => address)).toEqual(['127.0.0.1', '127.0.0.1'])
    expect(ports[0]!.port).not.toBe(ports[1]!.port)
    for (const cluster of [one, other]) {
      expect(await said(cluster, 1, 'nslookup -type=a vm-002.1')).toContain('192.168.1.2')
      expect(await said(cluster, 1, 'nslookup -type=a vm-002.1 192.168.0.250:10053')).toContain('192.168.1.2')
      expect(await said(cluster, 2, 'getent hosts 192.168.1.1')).toContain('vm-001.1')
      expect(await said(cluster, 2, 'getent ahostsv4 outside.test')).toContain('192.0.2.1')
      const { answered } = await answeredBy(cluster)
      expect(answered).toEqual(new Set(['tcp 127.0.0.1', 'udp 127.0.0.1']))
    }
  }
  await census.expectUnchanged()
})

async function userSpace({ clone, upstream }: { clone: string; upstream: FakeUpstream }): Promise<Cluster> {
  const wiring = await freeNumbers()
  const shape = { nvm: 2, nrouters: 0, smp: 1, fabric: 'user' } as const
  const name = `dns${process.pid}-${clone}`
  return await startCluster({ ...wiring, ...shape, name, clone, dnsUpstream: upstream.address })
}

/** The transports and source addresses of the forwarder's queries when a guest asks over UDP and TCP. */
async function answeredBy(cluster: Cluster): Promise<{ answered: Set<string> }> {
  const answered = new Set<string>()
  const events = cluster.dns!.queries()
  await said(cluster, 1, 'nslookup -type=a both.test; getent ahostsv4 both.test')
  events.end()
  for await (const { transport, address } of events) answered.add(`${transport} ${address}`)
  return { answered }
}
