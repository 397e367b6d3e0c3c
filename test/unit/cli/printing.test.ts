import { expect, test } from 'vitest'
import { linesOf } from '../../../src/cli/start/progress.ts'
import { cacheTable } from '../../../src/cli/view/cache.ts'
import { clusterTable } from '../../../src/cli/view/cluster.ts'
import { planText } from '../../../src/cli/view/plan.ts'
import { reachText } from '../../../src/cli/view/reach.ts'
import type { Status } from '../../../src/client/index.ts'
import { planCluster, resolveSettings } from '../../../src/plan/index.ts'

const status: Status = {
  v: 1,
  name: 'default',
  topology: 'xnet',
  state: 'ready',
  netns: '/proc/71/fd/20',
  owner: { pid: 71 },
  accel: 'tcg',
  kernel: '6.1.0',
  startedAt: '2024-01-01T00:00:00.000Z',
  readyMs: 4210,
  nodes: [
    {
      ...{ id: 1, name: 'vm-001', role: 'vm', state: 'ready', bootMs: 1940, milestones: {}, console: '' },
      nets: [
        { net: 0, dev: 'eth0', tap: 'xcbr0_t1', mac: '', ipv4: '192.168.0.1', ipv6: 'fd00::c0a8:1' },
        { net: 3, dev: 'eth1', tap: 'xcbr3_t1', mac: '' },
      ],
    },
    {
      ...{ id: 201, name: 'vm-201', role: 'router', state: 'failed', milestones: {}, console: '' },
      reason: 'the guest panicked',
      nets: [
        { net: 0, dev: 'eth0', tap: 'xcbr0_t201', mac: '', ipv4: '192.168.0.201', ipv6: 'fd00::c0a8:c9' },
      ],
    },
  ],
}

test('the table of a cluster has one row for each net, and the reasons of failed nodes below', () => {
  expect(clusterTable(status)).toBe(
    `cluster default: ready in 4.21 s, xnet, 2 nodes, tcg, Linux 6.1.0, namespace /proc/71/fd/20
NODE  NAME    ROLE    STATE   BOOT    NET  DEV   IPV4           IPV6
1     vm-001  vm      ready   1.94 s  0    eth0  192.168.0.1    fd00::c0a8:1
                                      3    eth1  -              -
201   vm-201  router  failed          0    eth0  192.168.0.201  fd00::c0a8:c9
vm-201: the guest panicked
`,
  )
})

test('the headline of a starting cluster has only what is known', () => {
  const { readyMs: _, ...rest } = status
  const starting = { ...rest, state: 'starting' as const, netns: '', accel: '', kernel: '', nodes: [] }
  expect(clusterTable(starting)).toContain('cluster default: starting, xnet, 0 nodes\n')
})

test('the headline of a cluster in user space says so, without a namespace', () => {
  const [headline] = clusterTable({ ...status, fabric: 'user', netns: '' }).split('\n')
  expect(headline).toContain(', in user space')
  expect(headline).not.toContain('namespace')
})

test('the text of a plan has bridges with the host’s addresses, and nodes with their taps', () => {
  const plan = planCluster(resolveSettings({ options: { nvm: 1, nrouters: 0, hostNets: '0' } }))
  expect(planText(plan)).toBe(
    `cluster default: xnet, 1 nodes with 128 MiB, mtu 1500
BRIDGE  TAPS  HOST ADDRESSES
xcbr0   1     192.168.0.250/24 fd00::c0a8:fa/120
xcbr1   1     -

NODE  NAME    ROLE  MEMORY   CPUS  DEV   TAP       MAC                IPV4         IPV6
1     vm-001  vm    128 MiB  2     eth0  xcbr0_t1  00:00:00:01:00:01  192.168.0.1  fd00::c0a8:1
                                   eth1  xcbr1_t1  00:00:00:01:01:01  192.168.1.1  fd00::c0a8:101
`,
  )
})

test('the text of a plan in user space has ports of the host and multicast groups instead of bridges', () => {
  const options = { nvm: 1, nrouters: 0, fabric: 'user', sshBase: 0, k8sPort: 0, k8sApiPort: 0 } as const
  const text = planText(planCluster(resolveSettings({ options })))
  expect(text.split('\n\nNODE  NAME')[0]).toBe(
    `cluster default: xnet, 1 nodes with 128 MiB, mtu 1500
PORT             NODE  SERVICE  ITS PORT
127.0.0.1:12001  1     telnet   23

NET  MULTICAST GROUP, ON LO
1    224.0.0.121:27030`,
  )
})

test('the text of a reachability report is one line when all pairs are reached, and else lists those that failed', () => {
  const good = { from: 'vm-001', to: 'vm-002', address: '192.168.1.2', family: 'ipv4', ok: true } as const
  const bad = { ...good, address: 'fd00::c0a8:102', family: 'ipv6', ok: false } as const
  expect(reachText({ v: 1, ok: true, pairs: [good] })).toBe('reached: IPv4 1 of 1, IPv6 0 of 0\n')
  expect(reachText({ v: 1, ok: false, pairs: [good, bad] })).toBe(
    `reached: IPv4 1 of 1, IPv6 0 of 1
FROM    CANNOT REACH  AT
vm-001  vm-002        fd00::c0a8:102
`,
  )
})

test('the progress explains templates once, then has a line for each step of making them', () => {
  const lines: string[] = []
  const progress = linesOf(text => lines.push(text))
  for (const text of ['with 2 NICs: booting it', 'with 2 NICs: saving it'])
    progress.show({ type: 'step', step: 'template', state: 'begin', text })
  progress.show({ type: 'step', step: 'template', state: 'end', text: 'no template is being made' })
  expect(lines).toEqual([
    'template: one VM of each shape is booted once and saved; nodes are clones of it',
    'template: with 2 NICs: booting it',
    'template: with 2 NICs: saving it',
  ])
})

test('the table of templates has the first 12 digits of each key, sizes and ages', () => {
  const now = Date.UTC(2024, 0, 9)
  const shape = { madeAt: now - 3 * 86_400_000, memoryMiB: 128, nicCount: 2, image: 'i', qemu: '7.2.22' }
  const good = { key: 'a'.repeat(64), bytes: (97 << 20) + 1, usedAt: now - 90_000, shape }
  const damaged = { key: 'b'.repeat(64), bytes: 1 << 20, usedAt: now - 5 }
  expect(cacheTable([good, damaged], now)).toBe(
    `KEY           VM                            QEMU    SIZE    MADE        USED
aaaaaaaaaaaa  128 MiB, 2 NICs               7.2.22  98 MiB  3 days ago  1 min ago
bbbbbbbbbbbb  damaged: rebuilt when needed          1 MiB               just now
99 MiB in total
`,
  )
})

test('without a terminal, the progress is a line for each step, node and notice', () => {
  const lines: string[] = []
  const progress = linesOf(text => lines.push(text))
  progress.show({ type: 'step', step: 'image', state: 'begin', text: 'finding the guest image' })
  progress.show({ type: 'step', step: 'image', state: 'end', text: 'finding the guest image' })
  progress.show({ type: 'notice', text: 'no KVM here' })
  progress.show({ type: 'node', id: 1, name: 'vm-001', state: 'booting', ms: 20 })
  progress.show({ type: 'node', id: 1, name: 'vm-001', state: 'ready', ms: 1900 })
  expect(lines).toEqual(['image: finding the guest image', 'note: no KVM here', 'vm-001: ready after 1.90 s'])
})
