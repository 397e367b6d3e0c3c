import { existsSync, mkdtempSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { describe, expect } from 'vitest'
import { systemClock } from '../../../src/base/index.ts'
import {
  awaitPacket,
  type BridgeFabric,
  type CaptureTarget,
  captureFile,
  type Fabric,
  frameFilter,
  openBridgeFabric,
  openCapture,
  openUserFabric,
} from '../../../src/net/index.ts'
import { planCluster, resolveSettings } from '../../../src/plan/index.ts'
import { frames } from '../../support/frames.ts'
import { test } from '../../support/leaks.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { readPcapng } from '../../support/pcapng-reader.ts'
import { waitFor } from '../../support/wait.ts'

const settings = resolveSettings({ options: { nvm: 2, nrouters: 0 } })
const { bridges: plan } = planCluster(settings)
const linksOf = (...nets: number[]) =>
  plan.taps
    .filter(({ net }) => nets.includes(net))
    .map(spec => ({ name: `vm-00${spec.node}/eth${spec.net}`, spec }))

const directory = () => mkdtempSync(join(tmpdir(), 'xc-capture-'))

/** Sends a frame as node 1 would, on net 1. */
async function sender(fabric: BridgeFabric): Promise<(frame: Uint8Array) => void> {
  const [, eth1] = await fabric.nics(1)
  await fabric.nics(2)
  return frame => void writeSync(eth1!.fds[0]!, Buffer.concat([Buffer.alloc(10), frame])) // after a vnet header
}

interface Wanted {
  readonly filter?: string
  readonly some?: boolean
  readonly target?: CaptureTarget
  readonly nets?: number[]
  readonly snapLength?: number
}

function capture(
  fabric: Fabric,
  file: string,
  { filter = '', some = false, target, nets = [1], snapLength }: Wanted = {},
) {
  const open = target ? async () => target : () => captureFile(file)
  const filterText = filter === '' ? undefined : filter
  return openCapture(linksOf(...nets), {
    ...{ fabric, clock: systemClock, filter: frameFilter(filter), filterText, snapLength, some, open },
  })
}

/** The filter that passes the test's own frames, and none of the bridge's. */
const own = 'ether src 00:00:00:01:01:01'
const broadcast = (number: number) => {
  const frame = Buffer.from(frames.arpRequest!)
  frame.writeUInt32BE(number, 38)
  return frame
}

describe('a capture of several links', () => {
  test('has the frames of all of them in the order of time, with the names of the links', async () => {
    await using fabric = await openBridgeFabric(plan)
    const file = join(directory(), 'all.pcapng')
    const capturing = await capture(fabric, file, { filter: own })
    const send = await sender(fabric)
    for (let number = 0; number < 200; number++) send(broadcast(number))
    const { frames: count, lost } = await capturing.close()
    const { links, packets, statistics } = readPcapng(readFileSync(file))
    expect(links).toEqual(['vm-001/eth1', 'vm-002/eth1'])
    expect([count, lost, packets.length]).toEqual([400, 0, 400])
    const times = packets.map(({ at }) => at)
    expect(times).toEqual([...times].sort((one, other) => one - other))
    expect(Math.abs(times[0]! - Date.now())).toBeLessThan(60_000)
    for (let number = 0; number < 200; number++) {
      const seen = packets.filter(({ bytes }) => bytes.readUInt32BE(38) === number)
      expect(seen.map(({ link }) => link)).toEqual(['vm-001/eth1', 'vm-002/eth1'])
    }
    for (const link of links) expect(statistics[link]).toMatchObject({ dropped: 0, delivered: 200 })
    expect(await capturing.close()).toEqual(await capturing.ended)
  })

  test.for(['', own, 'greater 1000'])(
    'keeps the beginnings of frames, and their lengths (%s)',
    async filter => {
      await using fabric = await openBridgeFabric(plan)
      const file = join(directory(), 'short.pcapng')
      const capturing = await capture(fabric, file, { filter, snapLength: 61 })
      const send = await sender(fabric)
      const long = Buffer.concat([frames.arpRequest!, Buffer.alloc(1400, 7)])
      for (const frame of [frames.arpRequest!, long, long]) send(frame)
      await capturing.close()
      const { packets, snapLengths } = readPcapng(readFileSync(file))
      expect(snapLengths).toEqual([61, 61])
      const ours = packets.filter(
        ({ link, bytes }) => link === 'vm-001/eth1' && bytes.readUInt16BE(12) === 0x806,
      )
      const wanted = filter === 'greater 1000' ? [long, long] : [frames.arpRequest!, long, long]
      expect(ours.map(({ original }) => original)).toEqual(wanted.map(({ length }) => length))
      expect(ours.map(({ bytes }) => bytes.toString('hex'))).toEqual(
        wanted.map(frame => Buffer.from(frame.subarray(0, 61)).toString('hex')),
      )
    },
  )

  test('has frames as they were sent, with their VLAN tags, and filters see those', async () => {
    await using fabric = await openBridgeFabric(plan)
    const tagged = (...tags: number[]) => {
      const bytes = Buffer.from(frames.ping!)
      const words = Buffer.alloc(4 * tags.length)
      for (const [index, tag] of tags.entries()) words.writeUInt32BE(tag, 4 * index)
      return Buffer.concat([bytes.subarray(0, 12), words, bytes.subarray(12)])
    }
    const [none, one, two, service] = [
      tagged(),
      ...[[0x8100_0005], [0x8100_0006, 0x8100_0005], [0x88a8_0005, 0x8100_0007]].map(tags => tagged(...tags)),
    ] as [Buffer, Buffer, Buffer, Buffer]
    const send = await sender(fabric)
    const captured = async (filter: string, snapLength?: number) => {
      const file = join(directory(), 'tagged.pcapng')
      const capturing = await capture(fabric, file, { filter, ...(snapLength && { snapLength }) })
      for (const frame of [none, one, two, service]) send(frame)
      await capturing.close()
      const { packets } = readPcapng(readFileSync(file))
      return packets.filter(({ link, bytes }) => link === 'vm-001/eth1' && bytes[11] === 1)
    }
    const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
    const all = await captured('')
    expect(all.map(({ bytes }) => hex(bytes))).toEqual([none, one, two, service].map(hex))
    expect(all.map(({ original, bytes }) => original - bytes.length)).toEqual([0, 0, 0, 0])
    for (const [filter, wanted] of [
      ['vlan', [one, two, service]],
      ['vlan 5', [one, two, service]],
      ['not vlan and icmp', [none]],
      [`greater ${one.length}`, [one, two, service]],
    ] as const)
      expect([filter, ...(await captured(filter)).map(({ bytes }) => hex(bytes))]).toEqual([
        filter,
        ...wanted.map(hex),
      ])
    for (const snapLength of [14, 18, 40])
      expect((await captured('', snapLength)).map(({ bytes, original }) => [hex(bytes), original])).toEqual(
        [none, one, two, service].map(frame => [hex(frame.subarray(0, snapLength)), frame.length]),
      )
  })

  test('that cannot keep up counts what the kernel drops, in the file too', async () => {
    await using fabric = await openBridgeFabric(plan)
    const file = join(directory(), 'dropped.pcapng')
    const capturing = await capture(fabric, file, { filter: own })
    const send = await sender(fabric)
    const sent = 200_000
    for (let number = 0; number < sent; number++) send(broadcast(number)) // nothing else runs meanwhile
    const { frames: count, lost } = await capturing.close()
    const { packets, statistics } = readPcapng(readFileSync(file))
    const counted = statistics['vm-001/eth1']!
    expect(packets.length).toBe(count)
    expect(counted.dropped).toBeGreaterThan(0)
    expect(counted.received).toBeGreaterThanOrEqual(sent)
    expect(counted.delivered + counted.dropped).toBeGreaterThanOrEqual(sent)
    expect(lost).toBe(counted.dropped + statistics['vm-002/eth1']!.dropped)
  })

  test('into a stream that stops reading drops frames, counts them and still ends', async () => {
    await using fabric = await openBridgeFabric(plan)
    const stream = new Writable({ write: () => {} }) // takes the first piece, and no other
    const capturing = await capture(fabric, '', { target: { stream }, filter: own })
    const send = await sender(fabric)
    const large = Buffer.concat([frames.lldp!, Buffer.alloc(1400)])
    for (let round = 0; round < 1000 && capturing.recorded.lost === 0; round++) {
      for (let number = 0; number < 400; number++) send(large)
      await new Promise(resolve => setTimeout(resolve, 12))
    }
    expect(capturing.recorded.lost).toBeGreaterThan(0)
    expect(stream.writableLength).toBeLessThan(66 << 20)
    await capturing.close()
  })

  test('into a stream is ended with it, and complete', async () => {
    await using fabric = await openBridgeFabric(plan)
    const stream = new PassThrough()
    const capturing = await capture(fabric, '', { target: { stream }, filter: own })
    const send = await sender(fabric)
    send(broadcast(1))
    await capturing.close()
    const pieces: Buffer[] = []
    for await (const piece of stream) pieces.push(piece as Buffer)
    expect(readPcapng(Buffer.concat(pieces)).packets.length).toBe(2)
  })

  test('into a stream has a frame soon, after a rest and after frames that the filter left out', async () => {
    await using fabric = await openBridgeFabric(plan)
    let written = 0
    const stream = new Writable({
      write(piece: Uint8Array, _, done) {
        written += piece.length
        done()
      },
    })
    const capturing = await capture(fabric, '', { target: { stream }, filter: 'ether proto 0x88cc' })
    const send = await sender(fabric)
    for (let round = 0; round < 3; round++) {
      for (let number = 0; number < 5; number++) {
        send(broadcast(number))
        await new Promise(resolve => setTimeout(resolve, 5))
      }
      const before = written
      send(frames.lldp!)
      expect(await waitFor(() => written > before, 5000)).toBe(true)
      await new Promise(resolve => setTimeout(resolve, 100))
    }
    await capturing.close()
  })

  test('ends by itself when its links have gone, with what they had', async () => {
    await using fabric = await openBridgeFabric(plan)
    const file = join(directory(), 'gone.pcapng')
    const capturing = await capture(fabric, file, { filter: own })
    const send = await sender(fabric)
    send(broadcast(7))
    await fabric.change({ ...plan, taps: [], bridges: [] })
    expect((await capturing.ended).frames).toBeGreaterThan(0)
    expect(readPcapng(readFileSync(file)).packets[0]!.bytes.readUInt32BE(38)).toBe(7)
  })

  test('that the disk has no room for ends with the error and the place', async () => {
    await using fabric = await openBridgeFabric(plan)
    const capturing = await capture(fabric, '/dev/full', { filter: own })
    await expect(capturing.ended).rejects.toMatchObject({
      ...{ code: 'NO_CAPTURE', target: '/dev/full', reason: expect.stringContaining('No space left') },
    })
    await expect(capturing.close()).rejects.toMatchObject({ code: 'NO_CAPTURE' })
    expect(existsSync('/dev/full')).toBe(true)
  })

  test('that cannot be completed leaves no file', async () => {
    await using fabric = await openBridgeFabric(plan)
    const file = join(directory(), 'partial.pcapng')
    writeFileSync(file, 'partial')
    const stream = new Writable({ write: (_, __, done) => done(new Error('the disk is on fire')) })
    const capturing = await capture(fabric, file, { target: { stream, file, remove: true } })
    await expect(capturing.close()).rejects.toMatchObject({
      target: file,
      reason: 'the disk is on fire; the file has been removed',
    })
    expect(existsSync(file)).toBe(false)
  })

  test('is refused whole when one link is not there or the file cannot be made, and nothing stays open', async () => {
    await using fabric = await openBridgeFabric(plan)
    const file = join(directory(), 'none.pcapng')
    const [known] = linksOf(1)
    const wrong = { name: 'vm-009/eth1', spec: { ...known!.spec, name: 'xcbr1_t9' } }
    const parts = {
      fabric,
      clock: systemClock,
      filter: frameFilter(''),
      some: false,
      open: () => captureFile(file),
    }
    await expect(openCapture([known!, wrong], parts)).rejects.toMatchObject({
      ...{ code: 'NO_CAPTURE', target: 'xcbr1_t9' },
    })
    expect(existsSync(file)).toBe(false)
    await expect(capture(fabric, '/nowhere/at/all.pcapng')).rejects.toMatchObject({
      ...{ code: 'NO_CAPTURE', target: '/nowhere/at/all.pcapng' },
    })
  })

  test('leaves out what the host cannot see when all links are wanted, and names it', async () => {
    const wiring = { ...settings, mcastBase: 62, telnetBase: 0, sshBase: 0, k8sPort: 0, k8sApiPort: 0 }
    await using fabric = await openUserFabric(plan, wiring)
    const file = join(directory(), 'user.pcapng')
    const capturing = await capture(fabric, file, { some: true, nets: [0, 1] })
    expect(capturing.unseen).toEqual(['vm-001/eth0', 'vm-002/eth0'])
    await capturing.close()
    expect(readPcapng(readFileSync(file)).links).toEqual(['vm-001/eth1', 'vm-002/eth1'])
    await expect(capture(fabric, file, { nets: [0, 1] })).rejects.toMatchObject({ code: 'NO_CAPTURE' })
    await expect(capture(fabric, file, { some: true, nets: [0] })).rejects.toMatchObject({
      code: 'NO_CAPTURE',
    })
  })
})

describe('the wait for a packet', () => {
  const late = (count: number) => new Error(`late after ${count}`)
  const aborted = () => new Error('aborted')
  const wait = (fabric: Fabric) => ({ fabric, clock: systemClock, some: false, late, aborted })

  test('ends with the packet, its headers decoded, that passes a filter or a function', async () => {
    await using fabric = await openBridgeFabric(plan)
    const send = await sender(fabric)
    const byFilter = awaitPacket(linksOf(1), 'tcp dst port 80', wait(fabric))
    const byFunction = awaitPacket(
      linksOf(1),
      ({ icmp, node }) => icmp?.type === 8 && node === 1,
      wait(fabric),
    )
    await new Promise(resolve => setImmediate(resolve))
    send(frames.arpRequest!)
    await new Promise(resolve => setTimeout(resolve, 20)) // frames that follow others do not gather
    for (const name of ['tcpData', 'syn', 'ping']) send(frames[name]!)
    expect(await byFilter).toMatchObject({
      ...{ link: 'vm-001/eth1', node: 1, net: 1 },
      ...{ ip: { source: '192.168.1.1' }, tcp: { destinationPort: 80, flags: ['syn'] } },
    })
    expect((await byFunction).icmp).toEqual({ type: 8, code: 0, identifier: 77, sequence: 3 })
  })

  test('ends with the error of a time limit, an abort, a function, or links that go', async () => {
    const fabric = await openBridgeFabric(plan)
    const send = await sender(fabric)
    const clock = new ManualClock()
    const limited = awaitPacket(linksOf(1), own, { ...wait(fabric), clock, timeoutMs: 500 })
    const controller = new AbortController()
    const { signal } = controller
    const cancelled = awaitPacket(linksOf(1), own, { ...wait(fabric), signal })
    const wrong = () => {
      throw new Error('a mistake of mine')
    }
    const thrown = awaitPacket(linksOf(1), wrong, wait(fabric))
    const gone = awaitPacket(linksOf(1), 'tcp port 1', wait(fabric))
    const all = Promise.allSettled([limited, cancelled, thrown, gone])
    await new Promise(resolve => setTimeout(resolve, 20))
    clock.pass(500)
    controller.abort()
    await Promise.allSettled([limited, cancelled])
    send(broadcast(1))
    await Promise.allSettled([thrown])
    await fabric.close()
    const reasons = (await all).map(result => (result.status === 'rejected' ? String(result.reason) : ''))
    expect(reasons).toEqual([
      expect.stringMatching(/late after \d+/),
      expect.stringContaining('aborted'),
      'Error: a mistake of mine',
      expect.stringContaining('the links have gone'),
    ])
    await expect(awaitPacket(linksOf(1), 'tcp prot', wait(fabric))).rejects.toMatchObject({
      code: 'BAD_FILTER',
    })
  })
})
