import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Cluster, startCluster } from '../../../src/index.ts'
import { type Census, takeCensus } from '../../support/leaks.ts'
import { said } from '../cluster/guest-state.ts'

describe.each(['always', 'off'] as const)('a cluster with a domain, with --clone %s', clone => {
  let census: Census
  let cluster: Cluster

  beforeAll(async () => {
    census = await takeCensus()
    cluster = await startCluster({
      ...{ name: `domain${process.pid}`, nvm: 2, nrouters: 0, smp: 1, clone },
      ...{ domain: 'lab.test', dnsUpstream: 'off', dnsSpoof: 'registry.lab.test=192.168.0.250' },
    })
  })
  afterAll(async () => {
    await cluster?.stop()
    await census.expectUnchanged()
  })

  test("a guest resolves another node's full name and short names, and addresses to full names", async () => {
    expect(await said(cluster, 1, 'cat /etc/resolv.conf')).toBe(
      'nameserver 192.168.0.250\noptions use-vc\nsearch lab.test\n',
    )
    expect(await said(cluster, 1, 'getent ahosts vm-002.lab.test')).toContain('192.168.0.2')
    expect(await said(cluster, 1, 'getent ahosts vm-002.1')).toContain('192.168.1.2')
    // /etc/hosts does not have this name: the resolver completes it.
    const completed = cluster.dns!.query({ name: 'registry.lab.test', type: 'A' })
    expect(await said(cluster, 1, 'getent ahostsv4 registry')).toContain('192.168.0.250')
    expect(await completed).toMatchObject({ rcode: 'NOERROR', transport: 'tcp' })
    expect(await said(cluster, 1, 'getent ahostsv4 vm-002')).toContain('192.168.0.2')
    expect(await said(cluster, 1, 'nslookup 192.168.0.2')).toContain('name = vm-002.lab.test')
    expect(await said(cluster, 1, 'ping -c 1 vm-002.lab.test')).toContain('1 packets received')
  })
})
