import { existsSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Cluster, type ClusterEvent, startCluster } from '../../../src/index.ts'
import { type Census, takeCensus } from '../../support/leaks.ts'
import { nsenter } from './nsenter.ts'

/** One cluster. The last tests kill a node and stop it. */
let census: Census
let cluster: Cluster
const events: ClusterEvent[] = []

beforeAll(async () => {
  census = await takeCensus()
  const options = { nvm: 2, nrouters: 2, ntesters: 1, smp: 1, append1: 'hello=world' }
  cluster = await startCluster(options, { onEvent: event => events.push(event) })
})
afterAll(() => cluster?.stop())

async function run(node: number, ...command: string[]): Promise<string> {
  const { status, stdout, stderr } = await cluster.exec(node, command)
  expect({ status, stderr: Buffer.from(stderr).toString() }).toEqual({ status: 0, stderr: '' })
  return Buffer.from(stdout).toString()
}

const pings = async (node: number, address: string) =>
  (await run(node, 'ping', '-c', '1', address)).includes('1 packets received')

describe('ready cluster', () => {
  test('the status of a cluster has its name, topology, owner and nodes', () => {
    const status = cluster.status()
    expect(status).toMatchObject({
      v: 1,
      name: 'default',
      topology: 'xnet',
      state: 'ready',
      owner: { pid: process.pid },
    })
    expect(status.nodes.map(({ id, role, state }) => [id, role, state])).toEqual([
      [1, 'vm', 'ready'],
      [2, 'vm', 'ready'],
      [201, 'router', 'ready'],
      [202, 'router', 'ready'],
      [221, 'tester', 'ready'],
    ])
    for (const { bootMs, milestones, pid } of status.nodes) {
      expect(bootMs).toBeGreaterThan(milestones.agent!)
      expect(existsSync(`/proc/${pid}`)).toBe(true)
    }
  })

  test('the start of a cluster reports its steps, states and milestones in order', () => {
    const steps = events.flatMap(event =>
      event.type === 'step' && event.step !== 'template' ? `${event.step} ${event.state}` : [],
    )
    // The first two steps run side by side.
    expect([...steps.slice(0, 4)].sort()).toEqual([
      'image begin',
      'image end',
      'network begin',
      'network end',
    ])
    expect(steps.slice(4)).toEqual(['vms begin', 'configure begin', 'vms end', 'configure end'])
    const states = events
      .filter(event => event.type === 'node' && event.id === 202)
      .map(event => 'state' in event && event.state)
    expect(states).toEqual(['starting', 'booting', 'configuring', 'ready'])
    const passed = events.flatMap(event => (event.type === 'milestone' && event.id === 202 ? event : []))
    const { milestones } = cluster.status().nodes.find(({ id }) => id === 202)!
    expect(Object.fromEntries(passed.map(({ milestone, ms }) => [milestone, ms]))).toEqual(milestones)
    expect(passed.at(-1)!.milestone).toBe('ready')
  })

  test('the nodes of a cluster have the addresses and hostnames of its plan', async () => {
    type Dev = { ifname: string; addr_info: { local: string; prefixlen: number; scope: string }[] }
    for (const { id, nets } of cluster.status().nodes) {
      const devs = JSON.parse(await run(id, 'ip', '-j', 'addr')) as Dev[]
      const seen = devs.flatMap(({ ifname, addr_info }) =>
        addr_info.filter(({ scope }) => scope === 'global').map(a => `${ifname} ${a.local}/${a.prefixlen}`),
      )
      const want = nets.flatMap(({ dev, ipv4, ipv6 }) => [`${dev} ${ipv4}/24`, `${dev} ${ipv6}/120`])
      expect(seen.filter(line => !line.startsWith('lo ')).sort()).toEqual(want.sort())
      expect((await run(id, 'hostname')).trim()).toBe(`vm-${String(id).padStart(3, '0')}`)
    }
  })

  test('nodes and testers reach each other through routers, over IPv4 and IPv6', async () => {
    expect(await pings(1, '192.168.2.221')).toBe(true)
    expect(await pings(1, 'fd00::192.168.2.221')).toBe(true)
    expect(await pings(221, '192.168.1.2')).toBe(true)
    expect(await pings(221, 'fd00::192.168.1.2')).toBe(true)
  })

  test('nodes have multipath default routes that hash ports, and routers masquerade', async () => {
    const [v4] = JSON.parse(await run(1, 'ip', '-j', 'route', 'show', 'default')) as {
      nexthops: { gateway: string }[]
    }[]
    expect(v4!.nexthops.map(({ gateway }) => gateway)).toEqual(['192.168.1.201', '192.168.1.202'])
    const v6 = await run(1, 'ip', '-6', 'route', 'show', 'default')
    expect(v6).toMatch(/via fd00::c0a8:1c9 .*via fd00::c0a8:1ca /s)
    for (const family of ['ipv4', 'ipv6'])
      expect(await run(1, 'cat', `/proc/sys/net/${family}/fib_multipath_hash_policy`)).toBe('1\n')
    const rules = await run(201, 'nft', 'list', 'ruleset')
    for (const source of [
      'ip saddr 192.168.1.0/24',
      'ip6 saddr fd00::c0a8:100/120',
      'ip saddr 192.168.2.0/24',
    ])
      expect(rules).toContain(`oifname "eth0" ${source} masquerade`)
    expect(await run(201, 'cat', '/proc/sys/net/ipv6/conf/all/forwarding')).toBe('1\n')
  })

  test('kernel arguments for one node reach only that node', async () => {
    expect(await run(1, 'cat', '/proc/cmdline')).toContain('hello=world')
    expect(await run(2, 'cat', '/proc/cmdline')).not.toContain('hello=world')
  })

  test('nodes answer pings from the namespace of the cluster', async () => {
    const { netns, nodes } = cluster.status()
    for (const { nets } of nodes) {
      for (const address of [nets[0]!.ipv4!, nets[0]!.ipv6!])
        expect(await nsenter(netns, ['ping', '-c', '1', '-W', '2', address])).toContain(' 0% packet loss')
    }
  })

  test('checkReach finds that every node reaches what it should', async () => {
    const results = await cluster.checkReach()
    expect(results.length).toBeGreaterThan(80)
    expect(results.filter(({ ok }) => !ok)).toEqual([])
  })

  test('exec on a node that does not exist is refused', async () => {
    await expect(cluster.exec(3, 'true')).rejects.toMatchObject({ code: 'NODE_MISSING', kind: 'missing' })
  })
})

describe('death of a node', () => {
  test('a node that dies is reported as failed with its reason, and the other nodes continue', async () => {
    const happened = cluster.events()
    process.kill(cluster.status().nodes.find(({ id }) => id === 2)!.pid!, 'SIGKILL')
    const { value } = await happened.next()
    expect(value).toMatchObject({ type: 'node', id: 2, name: 'vm-002', state: 'failed' })
    const [one, two] = cluster.status().nodes
    expect([one!.state, two!.state, two!.pid]).toEqual(['ready', 'failed', undefined])
    expect(two!.reason).toMatch(/SIGKILL/)
    await expect(cluster.exec(2, 'true')).rejects.toMatchObject({ code: 'NODE_NOT_READY' })
    expect(await pings(1, '192.168.2.221')).toBe(true)
    happened.end()
  })

  test('checkReach reports a dead node as unreachable', async () => {
    const lost = (await cluster.checkReach()).filter(({ ok }) => !ok)
    expect(new Set(lost.flatMap(({ from, to }) => (from === 'vm-002' ? [from] : [to])))).toEqual(
      new Set(['vm-002']),
    )
  })
})

describe('stop', () => {
  test('a stopped cluster leaves nothing behind', async () => {
    const { console } = cluster.status().nodes[0]!
    expect(existsSync(console)).toBe(true)
    await Promise.all([cluster.stop(), cluster.stop()])
    expect(cluster.status()).toMatchObject({ state: 'stopped', netns: '' })
    expect(cluster.status().nodes.map(({ state }) => state)).toEqual([
      'stopped',
      'failed',
      'stopped',
      'stopped',
      'stopped',
    ])
    expect(existsSync(console)).toBe(false)
    await census.expectUnchanged()
  })
})
