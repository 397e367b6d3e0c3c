import { existsSync, readFileSync, readSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import {
  captureFrames,
  joinSegment,
  openBridgeFabric,
  openUserFabric,
  record,
} from '../../../src/net/index.ts'
import { SegmentMeters } from '../../../src/net/user/meters.ts'
import { planCluster, resolveSettings, segmentOf } from '../../../src/plan/index.ts'
import { test } from '../../support/leaks.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { waitFor } from '../../support/wait.ts'

const settings = resolveSettings({ options: { nvm: 2, nrouters: 0 } })
const { bridges: plan } = planCluster(settings)
const tapOf = (node: number, net: number) => plan.taps.find(tap => tap.node === node && tap.net === net)!

/** A frame of that node on net 1: to the other node, or to all. */
function frame(from: number, to: number | 'all', text: string): Buffer {
  const head = Buffer.from('000000010101000000010101cafe', 'hex')
  head[11] = from
  if (to === 'all') head.fill(0xff, 0, 6)
  else head[5] = to
  return Buffer.concat([head, Buffer.from(text.padEnd(46))])
}

/** The test's own frames in a pcap file, and the link type of its header. The kernel's bridge sends some of IPv6. */
function framesIn(file: string): { linkType: number; frames: string[] } {
  const bytes = readFileSync(file)
  const frames: string[] = []
  for (let at = 24; at < bytes.length; ) {
    const length = bytes.readUInt32LE(at + 8)
    const frame = bytes.subarray(at + 16, at + 16 + length)
    if (frame.readUInt16BE(12) === 0xcafe) frames.push(frame.subarray(14).toString().trimEnd())
    at += 16 + length
  }
  expect(bytes.readUInt32LE(0)).toBe(0xa1b2c3d4)
  return { linkType: bytes.readUInt32LE(20), frames }
}

describe('a capture', () => {
  test('of a tap has the frames of both directions, and none of other taps', async () => {
    await using fabric = await openBridgeFabric(plan)
    const file = join(tmpdir(), 'vm-001-eth1.pcap')
    const recording = record(await captureFrames(fabric, tapOf(1, 1)), file)
    const [nic] = await Promise.all([fabric.nics(1), fabric.nics(2)])
    const other = await fabric.nics(2)
    const sends = (nics: typeof other, text: Buffer) =>
      writeSync(nics[1]!.fds[0]!, Buffer.concat([Buffer.alloc(10), text])) // after a vnet header
    sends(nic!, frame(1, 'all', 'from 1 to all'))
    sends(other, frame(2, 1, 'from 2 to 1'))
    sends(nic!, frame(1, 2, 'from 1 to 2'))
    writeSync(other[0]!.fds[0]!, Buffer.concat([Buffer.alloc(10), frame(2, 'all', 'on net 0')]))
    await recording.close()
    expect(framesIn(file)).toEqual({ linkType: 1, frames: ['from 1 to all', 'from 2 to 1', 'from 1 to 2'] })
    const { frames, bytes, lost } = recording.recorded
    expect([frames >= 3, bytes >= 180, lost]).toEqual([true, true, 0])
    await recording.close()
  })

  test('that drains its link has the first frame at once, and others when it drains', async () => {
    await using fabric = await openBridgeFabric(plan)
    const seen: string[] = []
    await using link = await fabric.capture(tapOf(1, 1), {
      drains: true,
      frame(bytes) {
        const text = Buffer.from(bytes).subarray(12)
        if (text.readUInt16BE(0) === 0xcafe) seen.push(text.subarray(2).toString().trimEnd())
      },
      end() {},
    })
    const [, eth1] = await fabric.nics(1)
    const sent: string[] = []
    const send = (count: number) => {
      for (let index = 0; index < count; index++) {
        sent.push(`${sent.length}`)
        writeSync(eth1!.fds[0]!, Buffer.concat([Buffer.alloc(10), frame(1, 2, sent.at(-1)!)]))
      }
    }
    const all = () => seen.length === sent.length
    send(1)
    expect(await waitFor(all, 5000)).toBe(true)
    send(2)
    await new Promise(resolve => setTimeout(resolve, 50))
    expect(seen.length).toBe(1)
    expect(link.drain()).toBe(true)
    expect(seen.length).toBe(3)
    send(600) // more than one turn takes: the rest needs no drain
    expect(link.drain()).toBe(false)
    expect(await waitFor(all, 5000)).toBe(true)
    let cameAtOnce = false
    for (let round = 0; round < 5 && !cameAtOnce; round++) {
      while (seen.length < sent.length) link.drain()
      link.drain() // it finds nothing, unless the bridge has sent something of its own
      send(1)
      cameAtOnce = await waitFor(all, 500)
    }
    expect(cameAtOnce).toBe(true)
    expect(seen).toEqual(sent)
  })

  test('keeps the frames that it has when its tap goes', async () => {
    await using fabric = await openBridgeFabric(plan)
    const file = join(tmpdir(), 'vm-002-eth1.pcap')
    const recording = record(await captureFrames(fabric, tapOf(2, 1)), file)
    const [, eth1] = await fabric.nics(1)
    writeSync(eth1!.fds[0]!, Buffer.concat([Buffer.alloc(10), frame(1, 'all', 'hello')]))
    await waitFor(() => existsSync(file) && readFileSync(file).includes('hello')) // a busy kernel forwards it later
    await fabric.change(planCluster(resolveSettings({ options: { nvm: 1, nrouters: 0 } })).bridges)
    await recording.close()
    expect(framesIn(file).frames).toEqual(['hello'])
  })

  test('of a link that is not there, and into a directory that is not there, is refused', async () => {
    await using fabric = await openBridgeFabric(plan)
    await expect(captureFrames(fabric, { ...tapOf(1, 1), name: 'xcbr1_t9' })).rejects.toMatchObject({
      ...{ code: 'NO_CAPTURE', target: 'xcbr1_t9' },
    })
    const recording = record(await captureFrames(fabric, tapOf(1, 1)), '/nowhere/at/all.pcap')
    await expect(recording.close()).rejects.toMatchObject({
      code: 'NO_CAPTURE',
      target: '/nowhere/at/all.pcap',
    })
  })

  test('of a segment has what the node sends and what is for it or for all', async () => {
    const wiring = { ...settings, mcastBase: 60, telnetBase: 0, sshBase: 0, k8sPort: 0, k8sApiPort: 0 }
    await using fabric = await openUserFabric(plan, wiring)
    await using others = await joinSegment(segmentOf(1, wiring.mcastBase))
    const file = join(tmpdir(), 'segment.pcap')
    const recording = record(await captureFrames(fabric, tapOf(1, 1)), file)
    for (const sent of [
      frame(1, 2, 'from 1'),
      frame(2, 1, 'to 1'),
      frame(2, 3, 'to 3'),
      frame(3, 'all', 'to all'),
    ])
      await others.inject(sent)
    expect(await waitFor(() => recording.recorded.frames === 3, 5000)).toBe(true)
    await recording.close()
    expect(framesIn(file).frames).toEqual(['from 1', 'to 1', 'to all'])
    await expect(captureFrames(fabric, tapOf(1, 0))).rejects.toMatchObject({
      code: 'NO_CAPTURE',
      target: 'net 0 in user space',
    })
  })
})

describe('the traffic of a fabric', () => {
  test('of bridges is what each tap has received from its node, and sent to it', async () => {
    await using fabric = await openBridgeFabric(plan)
    const before = await fabric.traffic()
    const nics = await fabric.nics(1)
    writeSync(nics[1]!.fds[0]!, Buffer.concat([Buffer.alloc(10), frame(1, 'all', 'hello')]))
    // The kernel counts a frame as sent when QEMU, or here the test, has read it.
    const [, eth1] = await fabric.nics(2)
    while (readSync(eth1!.fds[0]!, Buffer.alloc(2000)) !== 70); // bridges send queries of their own
    const after = await fabric.traffic()
    const of = (all: typeof before, node: number, net: number) =>
      all.find(each => each.node === node && each.net === net)!
    const grown = (node: number, net: number) => {
      const [was, is] = [of(before, node, net), of(after, node, net)]
      return [
        is.sent.frames - was.sent.frames,
        is.sent.bytes - was.sent.bytes,
        is.received!.bytes - was.received!.bytes >= 60,
      ]
    }
    expect([grown(1, 1), grown(2, 1), grown(1, 0)]).toEqual([
      [1, 60, false],
      [0, 0, true],
      [0, 0, false],
    ])
  })

  test('of segments is counted while it is asked for, and they are left afterwards', async () => {
    const clock = new ManualClock()
    const meters = new SegmentMeters(61, clock)
    await using others = await joinSegment(segmentOf(1, 61))
    const sentBy1 = async () => (await meters.read(plan)).find(({ node }) => node === 1)?.sent
    expect(await sentBy1()).toEqual({ frames: 0, bytes: 0 })
    await others.inject(frame(1, 2, 'one'))
    expect(await waitFor(async () => (await sentBy1())?.frames === 1, 5000)).toBe(true)
    expect((await meters.read(plan)).map(({ node, net }) => [node, net])).toEqual([
      [1, 1],
      [2, 1],
    ])
    clock.pass(15_000)
    expect(await sentBy1()).toEqual({ frames: 0, bytes: 0 })
    await meters.close()
  })
})
