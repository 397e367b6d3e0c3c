import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Scope } from '../../../src/base/index.ts'
import { type Cluster, startCluster } from '../../../src/index.ts'
import { FakeUpstream } from '../../support/dns-upstream.ts'
import { type Census, takeCensus } from '../../support/leaks.ts'
import { waitFor } from '../../support/wait.ts'
import { said } from '../cluster/guest-state.ts'
import { nsenter } from '../cluster/nsenter.ts'

// The upstream is on the loopback of this machine, which cannot be reached from the cluster's namespace.
describe.each(['always', 'off'] as const)('DNS of a cluster with --clone %s', clone => {
  let census: Census
  const open = new Scope()
  let upstream: FakeUpstream
  let cluster: Cluster
  let files: string

  beforeAll(async () => {
    files = await mkdtemp(join(tmpdir(), 'xc-dns-'))
    census = await takeCensus()
    upstream = open.add(await FakeUpstream.open())
    await writeFile(join(files, 'hosts'), '192.0.2.40 other.test\n')
    cluster = await startCluster({
      ...{ name: `dns${process.pid}`, nvm: 2, nrouters: 1, smp: 1, clone, dnsUpstream: upstream.address },
      dnsSpoof: 'registry.test=192.168.0.250,*.mirror.test=fd00::1',
      ...{ dnsHosts: join(files, 'hosts'), dnsLog: join(files, 'log') },
    })
  })
  afterAll(async () => {
    await cluster?.stop()
    await open.close()
    await rm(files, { recursive: true })
  })

  const looksUp = async (name: string) =>
    (await said(cluster, 1, `getent ahosts ${name} || true`)).split(/\s+/)
  const dig = async (...words: string[]) =>
    (await nsenter(cluster.status().netns, ['dig', '+short', ...words])).split('\n').filter(Boolean)

  test('the host resolves names of nodes, at both ports and both addresses, over UDP and TCP', async () => {
    expect(cluster.status().dns).toEqual({ address: '192.168.0.250', port: 53 })
    expect(await dig('@192.168.0.250', 'vm-002')).toEqual(['192.168.0.2'])
    expect(await dig('@192.168.0.250', '+tcp', 'VM-002.1', 'AAAA')).toEqual(['fd00::c0a8:102'])
    expect(await dig('@fd00::192.168.0.250', 'vm-201.2')).toEqual(['192.168.2.201'])
    expect(await dig('@127.0.0.1', '-p', '10053', '-x', '192.168.1.2')).toEqual(['vm-002.1.'])
    expect(await dig('@192.168.0.250', '-p', '10053', '+tcp', '-x', 'fd00::192.168.0.2')).toEqual(['vm-002.'])
    expect(await dig('@192.168.0.250', 'vm-002.2')).toEqual([])
  })

  test('a guest resolves names of other nodes, and names outside, over UDP and TCP', async () => {
    expect(await looksUp('vm-002.1')).toEqual(expect.arrayContaining(['192.168.1.2', 'fd00::c0a8:102']))
    expect(await said(cluster, 1, 'nslookup 192.168.1.2')).toContain('name = vm-002.1')
    expect(await said(cluster, 1, 'getent hosts fd00::192.168.1.2')).toContain('vm-002.1')
    expect(await said(cluster, 1, 'ping -c 1 vm-002.1')).toContain('1 packets received')

    const overTcp = cluster.dns!.query({ name: 'tcp.outside.test' })
    expect(await looksUp('tcp.outside.test')).toContain('192.0.2.1')
    expect(await overTcp).toMatchObject({ transport: 'tcp', address: expect.stringContaining('192.168.0.1') })
    const overUdp = cluster.dns!.query({ name: 'udp.outside.test' })
    expect(await said(cluster, 1, 'nslookup -type=a udp.outside.test')).toContain('192.0.2.1')
    expect(await overUdp).toMatchObject({ transport: 'udp', source: 'upstream' })
    expect(upstream.asked.map(({ name }) => name)).not.toContain('vm-002.1')
    expect(upstream.asked.map(({ name }) => name)).toContain('udp.outside.test')
  })

  test('guests get spoofed names, and names of a hosts file, also after the file has changed', async () => {
    expect(await looksUp('registry.test')).toContain('192.168.0.250')
    expect(await looksUp('any.mirror.test')).toContain('fd00::1')
    expect(await looksUp('other.test')).toContain('192.0.2.40')
    await writeFile(join(files, 'hosts'), '192.0.2.41 other.test another.test\n')
    expect(
      await waitFor(async () => (await dig('@192.168.0.250', 'another.test')).includes('192.0.2.41')),
    ).toBe(true)
    expect(await looksUp('other.test')).toContain('192.0.2.41')
  })

  test('the names of nodes are added and removed with the nodes', async () => {
    expect(await dig('@192.168.0.250', 'vm-003.1')).toEqual([])
    await cluster.scaleOut([3])
    expect(await looksUp('vm-003.1')).toContain('192.168.1.3')
    await cluster.scaleIn([2])
    expect(await said(cluster, 3, 'nslookup vm-002 || true')).toMatch(/NXDOMAIN/)
    expect(await dig('@192.168.0.250', '-x', '192.168.1.2')).toEqual([])
    expect(await looksUp('vm-003')).toContain('192.168.0.3')
  })

  test('the query log has the queries, and a stop leaves nothing behind', async () => {
    await cluster.stop()
    expect(await readFile(join(files, 'log'), 'utf8')).toMatch(/udp\.outside\.test\. .*NOERROR/)
    expect(cluster.status()).not.toHaveProperty('dns')
    await open.close()
    await census.expectUnchanged()
  })
})
