import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect } from 'vitest'
import { Scope } from '../../../src/base/index.ts'
import { openRelay, type Relay } from '../../../src/net/between/relay.ts'
import { bridge, openRoute, veth, vxlan } from '../../../src/rtnl/index.ts'
import { findProgram, NetNamespace } from '../../../src/sys/index.ts'
import { test } from '../../support/leaks.ts'
import { inNamespace } from '../../support/namespace.ts'
import { waitFor } from '../../support/wait.ts'

const [vni, port] = [0x12_34_56, 4789]

/** A relay of 10.77.0.1, whose cluster is 10.9.0.1, and a host with the kernel's VXLAN, 10.77.0.2 and 10.9.0.2. */
interface Pair extends AsyncDisposable {
  readonly relay: Relay
  readonly cluster: NetNamespace
  readonly host: NetNamespace
  readonly other: NetNamespace
}

async function open(): Promise<Pair> {
  await using scope = new Scope()
  const [cluster, host, other] = [0, 1, 2].map(() => scope.add(NetNamespace.create())) as [
    NetNamespace,
    NetNamespace,
    NetNamespace,
  ]
  await using outer = openRoute({ namespace: host })
  await outer.links.add(veth({ name: 'v0', peer: { name: 'v0', namespace: other } }))
  for (const [at, namespace] of [host, other].entries()) {
    await using route = openRoute({ namespace })
    // As a network card does, a bridge gives packets in a tunnel their checksums. A veth leaves that to the receiver.
    await route.links.add(bridge({ name: 'eth0', up: true }))
    await route.links.change({ name: 'v0', master: 'eth0', up: true })
    await route.links.change({ name: 'lo', up: true })
    await route.addresses.add({ link: 'eth0', address: `10.77.0.${at + 1}`, prefix: 24 })
  }
  await using inside = openRoute({ namespace: cluster })
  await inside.links.change({ name: 'lo', up: true })
  const relay = scope.add(
    await openRelay({
      namespace: cluster,
      outside: host,
      inside,
      local: '10.77.0.1',
      peers: ['10.77.0.2'],
      port,
      vnis: [vni],
      host: 'host 0',
    }),
  )
  const ends = [
    { namespace: cluster, own: relay.device, to: relay.placeOf('10.77.0.2'), address: '10.9.0.1' },
    { namespace: other, own: { local: '10.77.0.2' }, to: { remote: '10.77.0.1' }, address: '10.9.0.2' },
  ]
  for (const { namespace, own, to, address } of ends) {
    await using route = openRoute({ namespace })
    await route.links.add(vxlan({ name: 'vx', vni, port, mtu: 1450, addrGenMode: 'none', up: true, ...own }))
    await route.fdb.append({ link: 'vx', mac: '00:00:00:00:00:00', ...to })
    await route.addresses.add({ link: 'vx', address, prefix: 24 })
  }
  const kept = scope.move()
  return { relay, cluster, host, other, [Symbol.asyncDispose]: () => kept.close() }
}

const ping = (from: NetNamespace, to: string, ...more: readonly string[]) =>
  inNamespace(from, ['ping', '-c1', '-W2', ...more, to])

/** Sends a datagram to the relay's port from the host with VXLAN, from one of its addresses. */
async function send(from: NetNamespace, text: string, address = '10.77.0.2'): Promise<void> {
  const script = `const s = require('dgram').createSocket('udp4').bind(0, '${address}', () =>
    s.send(Buffer.from('${text}', 'hex'), ${port}, '10.77.0.1', () => s.close()))`
  await inNamespace(from, [process.execPath, '-e', script])
}

/** RFC 7348 §5, and a frame to all from 02:00:00:00:00:09. */
const inVxlan = (flags: string, id: number) =>
  `${flags}000000${id.toString(16).padStart(6, '0')}00ffffffffffff02000000000988b5${'00'.repeat(46)}`

describe('a relay', () => {
  test('carries frames of the largest size to and from a host with the VXLAN of its kernel', async () => {
    await using pair = await open()
    for (const [from, to] of [
      [pair.cluster, '10.9.0.2'],
      [pair.other, '10.9.0.1'],
    ] as const)
      expect((await ping(from, to, '-s', '1422', '-M', 'do')).stdout).toContain(' 1 received')
    const { sent, received, ...dropped } = pair.relay.counts()
    expect(Math.min(sent, received)).toBeGreaterThanOrEqual(2)
    expect(dropped).toEqual({ strangers: 0, refused: 0, lost: 0 })
  })

  test.each([
    ['to', { from: 'cluster', at: 'other', to: '10.9.0.2' }],
    ['from', { from: 'other', at: 'cluster', to: '10.9.0.1' }],
  ] as const)(
    'carries a stream %s that host, whose segments have their checksums',
    async (_, { from, at, to }) => {
      await using pair = await open()
      const bytes = 32 << 20
      const serve = `const hash = require('crypto').createHash('sha256')
      const server = require('net').createServer(s => s.on('data', d => hash.update(d)).on('end', () => {
        s.end(hash.digest('hex')); server.close() })).listen(9, '${to}', () => console.log('listens'))`
      const served = spawn('nsenter', [`--net=${pair[at].path}`, process.execPath, '-e', serve])
      await once(served.stdout, 'data')
      const ask = `const sent = require('crypto').randomBytes(${bytes})
      console.log(require('crypto').createHash('sha256').update(sent).digest('hex'))
      require('net').connect(9, '${to}').on('data', d => console.log(String(d))).end(sent)`
      const { stdout } = await inNamespace(pair[from], [process.execPath, '-e', ask])
      const [sent, received] = stdout.trim().split('\n')
      expect(received).toBe(sent)
      const { stdout: snmp } = await inNamespace(pair[at], ['cat', '/proc/net/snmp'])
      const [names = '', values = ''] = snmp.split('\n').filter(line => line.startsWith('Tcp:'))
      expect(values.split(' ')[names.split(' ').indexOf('InCsumErrors')]).toBe('0')
      expect(pair.relay.counts()).toMatchObject({ strangers: 0, refused: 0 })
    },
  )

  test('sends what tshark knows as VXLAN, from the port that it has', async ({ skip }) => {
    skip(findProgram('tshark', process.env.PATH ?? '') === undefined, 'there is no tshark')
    await using pair = await open()
    const fields = ['udp.srcport', 'udp.dstport', 'vxlan.vni', 'ip.src', 'icmp.type'].flatMap(f => ['-e', f])
    const words = ['tshark', '-l', '-i', 'eth0', '-Y', 'icmp.type == 8', '-T', 'fields', ...fields, '-c', '1']
    const reading = spawn('nsenter', [`--net=${pair.other.path}`, ...words])
    let read = ''
    reading.stdout.on('data', text => (read += text))
    const ended = once(reading, 'close')
    const until = performance.now() + 20_000 // it takes a second and more to begin
    while (read === '' && performance.now() < until) await ping(pair.cluster, '10.9.0.2')
    reading.kill()
    await ended
    expect(read.trim().split('\n')[0]).toBe(`${port}\t${port}\t${vni}\t10.77.0.1,10.9.0.1\t8`)
  })

  test('drops and counts what comes from a stranger, is of another network, no VXLAN, or too long', async () => {
    await using pair = await open()
    await using route = openRoute({ namespace: pair.other })
    await route.links.change({ name: 'vx', up: false }) // it sends of its own accord
    await using inside = openRoute({ namespace: pair.cluster })
    const seen = async () => (await inside.links.get('vx')).statistics!.rxPackets
    const [before, counted] = [await seen(), pair.relay.counts()]
    const since = () => {
      const now = pair.relay.counts()
      return { strangers: now.strangers - counted.strangers, refused: now.refused - counted.refused }
    }
    for (const bad of [
      inVxlan('08', vni + 1),
      inVxlan('00', vni),
      '0800',
      inVxlan('08', vni) + '00'.repeat(3000),
    ])
      await send(pair.other, bad)
    expect(await waitFor(() => since().refused === 4, 5000)).toBe(true)
    await route.addresses.add({ link: 'eth0', address: '10.77.0.9', prefix: 24 })
    await send(pair.other, inVxlan('08', vni), '10.77.0.9')
    expect(await waitFor(() => since().strangers === 1, 5000)).toBe(true)
    expect(await seen()).toBe(before)
    await send(pair.other, inVxlan('08', vni))
    expect(await waitFor(async () => (await seen()) === before + 1, 5000)).toBe(true)
    expect(since()).toEqual({ strangers: 1, refused: 4 })
  })

  test('takes nothing of guests, which reach its namespace on net 0', async () => {
    await using pair = await open()
    await using guest = NetNamespace.create()
    await using inside = openRoute({ namespace: pair.cluster })
    await inside.links.add(veth({ name: 'net0', peer: { name: 'eth0', namespace: guest } }))
    await inside.links.change({ name: 'net0', up: true })
    await inside.addresses.add({ link: 'net0', address: '192.168.0.250', prefix: 24 })
    await using own = openRoute({ namespace: guest })
    await own.links.change({ name: 'eth0', up: true })
    await own.addresses.add({ link: 'eth0', address: '192.168.0.1', prefix: 24 })
    await own.routes.add({ destination: 'default', via: '192.168.0.250' })
    await ping(guest, '192.168.0.250')
    const { remote, port: ofRelay } = pair.relay.placeOf('10.77.0.2')
    const seen = async () => (await inside.links.get('vx')).statistics!.rxPackets
    const before = [await seen(), pair.relay.counts()]
    const tries = [port, ofRelay].flatMap(to =>
      ['192.168.0.250', pair.relay.device.local, remote].map(at => [to, at]),
    )
    const script = `for (const [port, address] of ${JSON.stringify(tries)}) {
      const s = require('dgram').createSocket('udp4')
      s.send(Buffer.from('${inVxlan('08', vni)}', 'hex'), port, address, () => s.close()) }`
    await inNamespace(guest, [process.execPath, '-e', script])
    await ping(guest, '192.168.0.250')
    expect([await seen(), pair.relay.counts()]).toEqual(before)
  })

  test('names the host whose port is taken, and leaves nothing', async () => {
    await using pair = await open()
    await using cluster = NetNamespace.create()
    await using inside = openRoute({ namespace: cluster })
    const again = { namespace: cluster, outside: pair.host, inside, local: '10.77.0.1', peers: ['10.77.0.2'] }
    await expect(openRelay({ ...again, port, vnis: [vni], host: 'host 0 (10.77.0.1)' })).rejects.toThrow(
      'host 0 (10.77.0.1) cannot have UDP port 4789 for VXLAN: Address already in use',
    )
    expect((await inside.links.list()).map(({ name }) => name)).toEqual(['lo'])
  })
})
