import { expect } from 'vitest'
import { type Cluster, startCluster } from '../../../src/index.ts'
import { test } from '../../support/leaks.ts'
import { nsenter } from '../cluster/nsenter.ts'

/** The number of IPv4 and IPv6 fragments that the kernels of two nodes have created so far. */
async function fragments(cluster: Cluster): Promise<number> {
  const script = `awk '$1 == "Ip6FragCreates" { print $2 }' /proc/net/snmp6
    awk '$1 == "Ip:" && n++ { print $19 }' /proc/net/snmp`
  const counts = await Promise.all([1, 2].map(node => cluster.exec(node, script)))
  const numbers = counts.flatMap(({ stdout }) =>
    Buffer.from(stdout).toString().trim().split('\n').map(Number),
  )
  expect(numbers).toHaveLength(4)
  return numbers.reduce((sum, number) => sum + number)
}

test('a packet of 9000 bytes crosses a net with that MTU whole, and is fragmented on other nets', async () => {
  await using cluster = await startCluster({ nvm: 2, nrouters: 0, smp: 1, hostNets: '0,1', mtu1: 9000 })
  const ping = async (size: number, address: string) => {
    const { status, stdout } = await cluster.exec(1, ['ping', '-c', '1', '-s', `${size}`, address])
    expect([status, Buffer.from(stdout).toString()]).toEqual([
      0,
      expect.stringContaining('1 packets received'),
    ])
  }
  await ping(8972, '192.168.1.2') // 20 + 8 + 8972 = 9000
  await ping(8952, 'fd00::192.168.1.2') // 40 + 8 + 8952 = 9000
  expect(await fragments(cluster)).toBe(0)
  await ping(8972, '192.168.0.2')
  await ping(8952, 'fd00::192.168.0.2')
  expect(await fragments(cluster)).toBeGreaterThan(7)
  // From the host, whose ping can forbid fragments (-M do).
  const { netns } = cluster.status()
  const whole = (family: string, size: number, address: string) =>
    nsenter(netns, ['ping', family, '-M', 'do', '-c', '1', '-W', '5', '-s', `${size}`, address])
  await whole('-4', 8972, '192.168.1.1')
  await whole('-6', 8952, 'fd00::192.168.1.1')
  await expect(whole('-4', 8973, '192.168.1.1')).rejects.toThrow()
  await expect(whole('-4', 1473, '192.168.0.1')).rejects.toThrow()
  const { stdout } = await cluster.exec(2, 'cat /sys/class/net/eth0/mtu /sys/class/net/eth1/mtu')
  expect(Buffer.from(stdout).toString()).toBe('1500\n9000\n')
  await cluster.scaleOut([3])
  await ping(8972, '192.168.1.3')
})
