import { expect } from 'vitest'
import { systemClock } from '../../../src/base/index.ts'
import { GuestKernel, observe, observeNeighbours, probe } from '../../../src/guest/index.ts'
import { runCommand } from '../../../src/stream/index.ts'
import { test as plain } from '../../support/leaks.ts'
import { markDescendants } from '../../support/processes.ts'
import { RealGuest } from '../../support/real-guest.ts'

/** The real program in the part of a guest, in a network namespace of its own. */
const test = plain.extend<{ guest: RealGuest; kernel: GuestKernel }>({
  guest: async ({ census: _ }, use) => {
    markDescendants()
    await using guest = new RealGuest({ apart: true })
    await use(guest)
  },
  kernel: async ({ guest }, use) => {
    await using kernel = new GuestKernel(guest.channel)
    await use(kernel)
  },
})

async function run({ channel }: RealGuest, script: string, input = ''): Promise<string> {
  const { status, stdout, stderr } = await runCommand(channel.streams, script, {
    ...{ clock: systemClock, input: Buffer.from(input) },
  })
  expect([status, String(stderr)]).toEqual([0, ''])
  return String(stdout)
}

const wired = `
ip link set lo up
ip link add eth0 address 02:00:00:00:00:01 type veth peer name other
ip link set other up
ip link set eth0 mtu 1400 up
ip address add 10.0.0.1/24 dev eth0
ip address add fd00::1/120 dev eth0 nodad
`

const nothing = { sysctls: [], masquerades: [] }

test('what ip(8) sets in a guest is read from its kernel, without a program', async ({ guest, kernel }) => {
  await run(
    guest,
    `${wired}
    ip route add 10.1.0.0/24 nexthop via 10.0.0.2 dev eth0 nexthop via 10.0.0.3 dev eth0 weight 2
    ip -6 route add default via fd00::2 dev eth0 mtu 1300
    ip route add unreachable 10.9.0.0/16 table 1000
    ip rule add oif eth0 table 1000
    ip rule add fwmark 1 table 1000
    ip neighbour add 10.0.0.2 lladdr 02:00:00:00:00:02 dev eth0`,
  )
  const seen = await observe(kernel, nothing)
  const eth0 = { name: 'eth0', mac: '02:00:00:00:00:01', mtu: 1400, up: true, carrier: true }
  expect(seen.links).toContainEqual(expect.objectContaining(eth0))
  expect(seen.addresses).toContainEqual(
    expect.objectContaining({ dev: 'eth0', family: 6, address: 'fd00::1', prefix: 120 }),
  )
  const unicast = { family: 4, table: 254, type: 'unicast', metric: 0 }
  expect(seen.routes).toContainEqual({
    ...{ ...unicast, destination: '10.1.0.0/24' },
    hops: [
      { dev: 'eth0', via: '10.0.0.2', weight: 1 },
      { dev: 'eth0', via: '10.0.0.3', weight: 2 },
    ],
  })
  expect(seen.routes).toContainEqual({
    ...{ ...unicast, family: 6, destination: 'default', metric: 1024, mtu: 1300 },
    hops: [{ dev: 'eth0', via: 'fd00::2', weight: 1 }],
  })
  expect(seen.routes).toContainEqual(expect.objectContaining({ table: 1000, type: 'unreachable', hops: [] }))
  expect(seen.rules.filter(({ family }) => family === 4)).toEqual([
    { family: 4, priority: 0, action: 'lookup', table: 255 },
    { family: 4, priority: 32764, action: 'lookup', table: 1000, special: true },
    { family: 4, priority: 32765, action: 'lookup', table: 1000, outDev: 'eth0' },
    { family: 4, priority: 32766, action: 'lookup', table: 254 },
    { family: 4, priority: 32767, action: 'lookup', table: 253 },
  ])
  const neighbour = { dev: 'eth0', address: '10.0.0.2', mac: '02:00:00:00:00:02', state: 'permanent' }
  expect(seen.neighbours).toContainEqual(neighbour)
})

test('rules for masquerading are found in a guest whatever table they are in', async ({ guest, kernel }) => {
  const wanted = ['192.168.1.0/24', '192.168.2.0/24', 'fd00::c0a8:100/120'].map(source => ({
    outDev: 'eth0',
    source,
  }))
  const reading = { sysctls: [], masquerades: wanted }
  expect((await observe(kernel, reading)).masquerades).toEqual([])
  await run(
    guest,
    `nft 'table inet mine {
      chain out {
        type nat hook postrouting priority srcnat; policy accept;
        oifname "eth0" ip saddr 192.168.1.0/24 counter masquerade
        oifname "eth1" ip saddr 192.168.2.0/24 masquerade
      }
    }
    table ip6 six {
      chain out {
        type nat hook postrouting priority 0; policy accept;
        oifname "eth0" ip6 saddr fd00::c0a8:100/120 masquerade
      }
    }'`,
  )
  expect((await observe(kernel, reading)).masquerades).toEqual([wanted[0], wanted[2]])
})

test('sysctls of a guest are read as files, and one that it lacks is absent', async ({ guest, kernel }) => {
  await run(guest, 'echo 1 >/proc/sys/net/ipv4/ip_forward')
  const sysctls = ['net/ipv4/ip_forward', 'net/ipv6/conf/all/forwarding', 'net/ipv4/no_such']
  expect((await observe(kernel, { ...nothing, sysctls })).sysctls).toEqual({
    'net/ipv4/ip_forward': '1',
    'net/ipv6/conf/all/forwarding': '0',
  })
  expect(await kernel.read('/no/such')).toBeUndefined()
})

test('the kernel of a guest looks for neighbours, and those that do not answer stay incomplete', async ({
  guest,
  kernel,
}) => {
  await run(guest, `${wired}\nip neighbour add 10.0.0.3 lladdr 02:00:00:00:00:03 nud stale dev eth0`)
  const { links } = await observe(kernel, nothing)
  await probe(kernel, [
    { dev: 'eth0', address: '10.0.0.2', known: false },
    { dev: 'eth0', address: '10.0.0.3', known: true },
    { dev: 'eth0', address: 'fd00::2', known: false },
  ])
  const seen = await observeNeighbours(kernel, links)
  const states = Object.fromEntries(seen.map(({ address, state }) => [address, state]))
  expect(states).toMatchObject({ '10.0.0.2': 'incomplete', '10.0.0.3': 'probe', 'fd00::2': 'incomplete' })
})

test('a long listing of a guest comes whole', async ({ guest, kernel }) => {
  const routes = Array.from({ length: 2000 }, (_, at) => `route add 10.${at >> 8}.${at & 255}.0/24 dev eth0`)
  await run(
    guest,
    `${wired}\nip -batch - <<END\n${routes.join('\n').replaceAll('10.0.0.0/24', '11.0.0.0/24')}\nEND`,
  )
  const seen = await observe(kernel, nothing)
  expect(seen.routes.filter(({ table, family }) => table === 254 && family === 4).length).toBe(2001)
})

test('a listing of a guest that is longer than an answer may be is refused, and the channel stays', async ({
  guest,
  kernel,
}) => {
  const routes = Array.from(
    { length: 40_000 },
    (_, at) => `route add 11.${at >> 8}.${at & 255}.0/24 dev eth0`,
  )
  await run(guest, `${wired}\nip -batch -`, routes.join('\n'))
  await expect(observe(kernel, nothing)).rejects.toThrow('Message too long (EMSGSIZE)')
  await using other = new GuestKernel(guest.channel)
  expect(await other.read('/proc/sys/net/ipv4/ip_forward')).toBe('0\n')
})
