import { readFileSync } from 'node:fs'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { type ClusterEvent, type NetSetup, startCluster } from '../../../src/index.ts'
import { test } from '../../support/leaks.ts'

const example = fileURLToPath(new URL('../../../examples/net-setup/bridge.sh', import.meta.url))
let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'custom-'))
})
afterAll(() => rm(directory, { recursive: true }))

/** A script that runs `first`, and then the example. */
async function script(name: string, first: string): Promise<string> {
  const file = join(directory, name)
  await writeFile(file, `#!/bin/sh\n${first}\nexec "${example}" "$@"\n`)
  await chmod(file, 0o755)
  return file
}

const small = { nvm: 2, nrouters: 0, smp: 1 }
const argvOf = (pid: number) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')

describe('network script', () => {
  test('a network script connects all nodes, and runs again after a reset and for added nodes', async () => {
    const calls = join(directory, 'calls')
    const netSetup = await script('told', `echo "$1 $2 $__mtu $__kvm" >>${calls}; echo "for $2" >&2`)
    const logs = join(directory, 'logs')
    const events: ClusterEvent[] = []
    const hooks = { logs, onEvent: (event: ClusterEvent) => events.push(event) }
    await using cluster = await startCluster({ ...small, netSetup, mtu1: 9000 }, hooks)
    const told = () =>
      readFileSync(calls, 'utf8')
        .trim()
        .split('\n')
        .map(line => line.replace(/\/.*\/(qemu[^/]*)$/, '$1'))
        .sort()
    const both = (node: number) => [`${node} 0 1500 qemu-system-x86_64`, `${node} 1 9000 qemu-system-x86_64`]
    expect(told()).toEqual([...both(1), ...both(2)])
    expect(readFileSync(join(logs, 'net-setup.log'), 'utf8')).toContain('node 2 net 1: for 1\n')
    const reach = await cluster.checkReach()
    expect(reach.filter(({ ok }) => !ok)).toEqual([])
    expect(reach).toHaveLength(8)
    for (const { pid, milestones } of cluster.status().nodes) {
      expect(argvOf(pid!).join(' ')).toMatch(/-netdev tap,id=net1,fd=\d+ -device virtio-net-pci,netdev=net1/)
      expect(milestones).not.toHaveProperty('kernel') // a clone
    }
    await cluster.reset([2])
    expect(told()).toEqual([...both(1), ...both(2), ...both(2)].sort())
    await cluster.scaleOut([3])
    expect(told().slice(-2)).toEqual(both(3))
    await cluster.scaleIn([1])
    expect((await cluster.checkReach()).filter(({ ok }) => !ok)).toEqual([])
  })

  test('a network script that fails for one node fails only that node', async () => {
    const broken = join(directory, 'broken')
    await writeFile(broken, '')
    const netSetup = await script(
      'fails',
      `[ $1$2 = 21 ] && [ -e ${broken} ] && echo no more ports >&2 && exit 3`,
    )
    const events: ClusterEvent[] = []
    await using cluster = await startCluster({ ...small, netSetup }, { onEvent: event => events.push(event) })
    const [first, second] = cluster.status().nodes
    expect(first!.state).toBe('ready')
    expect(second).toMatchObject({ state: 'failed' })
    expect(second!.reason).toMatch(
      /set up net 1 of node 2: .*fails exited with status 3. It printed:\n {2}no more ports/,
    )
    expect(events).toContainEqual({ type: 'notice', text: expect.stringContaining('vm-002 has no network') })
    expect((await cluster.exec(1, ['hostname'])).status).toBe(0)
    await rm(broken)
    await cluster.reset([2])
    expect((await cluster.checkReach()).every(({ ok }) => ok)).toBe(true)
  })

  test('a start fails when its network script fails for all nodes, is missing, or cannot be executed', async () => {
    const netSetup = await script('never', 'exit 1')
    await expect(startCluster({ ...small, netSetup })).rejects.toMatchObject({ code: 'NET_SETUP_FAILED' })
    await expect(startCluster({ ...small, netSetup: `${netSetup}.not` })).rejects.toMatchObject({
      code: 'NET_SETUP_MISSING',
      kind: 'usage',
    })
    await chmod(netSetup, 0o644)
    await expect(startCluster({ ...small, netSetup })).rejects.toMatchObject({ code: 'NET_SETUP_MISSING' })
  })
})

describe('network function', () => {
  /** NICs without a peer, of a device that templates do not have. */
  const net: NetSetup = (_, number, { mac }) => {
    const device = 'virtio-net-pci-non-transitional'
    return {
      args: `-netdev hubport,hubid=${number},id=own${number} -device ${device},netdev=own${number},mac=${mac}`,
    }
  }

  test('a network function chooses the devices of nodes, which then boot', async () => {
    await using cluster = await startCluster({ ...small, nvm: 1 }, { net })
    const [{ pid, milestones }] = cluster.status().nodes as unknown as [{ pid: number; milestones: object }]
    expect(milestones).toHaveProperty('kernel')
    expect(argvOf(pid).join(' ')).toContain(
      '-device virtio-net-pci-non-transitional,netdev=own0,mac=00:00:00:01:00:01,id=nic0 -netdev hubport',
    )
    expect(await cluster.checkReach()).toEqual([])
  })

  test("a network function whose options QEMU refuses fails that node, with QEMU's own words", async () => {
    const some: NetSetup = (node, number, context) =>
      node === 1
        ? net(node, number, context)
        : { args: `-netdev hubport,hubid=9,id=x${number} -device nonsense-nic,mac=02` }
    await using cluster = await startCluster(small, { net: some })
    const [first, second] = cluster.status().nodes
    expect([first!.state, second!.state]).toEqual(['ready', 'failed'])
    expect(second!.reason).toMatch(/QEMU refused the options .*'nonsense-nic' is not a valid device model/s)
  })

  test('a network function whose options need privileges gets a QEMU that keeps them, with a notice', async () => {
    const events: ClusterEvent[] = []
    const privileged: NetSetup = (node, number, context) =>
      number === 0
        ? net(node, number, context)
        : {
            args: `-netdev tap,id=n1,ifname=own1,script=no,downscript=no,queues=2 -device virtio-net-pci,netdev=n1,mac=${context.mac}`,
          }
    await using cluster = await startCluster(
      { ...small, nvm: 1 },
      { net: privileged, onEvent: event => events.push(event) },
    )
    const [{ pid }] = cluster.status().nodes as unknown as [{ pid: number }]
    expect(readFileSync(`/proc/${pid}/status`, 'utf8')).toContain('Uid:\t0\t0\t0\t0')
    const text = expect.stringMatching(
      /^QEMU of node 1 keeps its privileges, for -netdev tap,id=n1,ifname=own1/,
    )
    expect(events).toContainEqual({ type: 'notice', text })
  })
})
