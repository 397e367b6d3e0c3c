import { readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { joinSegment, pcap, type Segment } from '../../../../src/net/index.ts'
import { segmentOf } from '../../../../src/plan/index.ts'
import { test } from '../../../support/leaks.ts'
import { freeNumbers } from '../../../support/user-wiring.ts'

const header = [255, 255, 255, 255, 255, 255, 0, 0, 0, 1, 1, 250, 0x88, 0xb5]
const frame = (...payload: number[]) => Uint8Array.of(...header, ...payload)

async function address() {
  return segmentOf(1, (await freeNumbers()).mcastBase)
}

async function next(segment: Segment, send: () => Promise<void>) {
  const frames = segment.capture()
  await send()
  const { value } = await frames.next()
  frames.end()
  return value
}

test('all members of a segment receive a frame, and it is counted for its sender', async () => {
  const at = await address()
  await using one = await joinSegment(at)
  await using other = await joinSegment(at)
  const received = await next(other, () => one.inject(frame(1, 2, 3)))
  expect(received).toMatchObject({ source: '00:00:00:01:01:fa', etherType: 0x88b5 })
  expect([...received!.bytes]).toEqual([...frame(1, 2, 3)])
  expect(Math.abs(received!.at - Date.now())).toBeLessThan(5000)
  expect(await next(one, () => other.inject(frame(4)))).toMatchObject({ etherType: 0x88b5 })
  expect([...other.traffic()]).toEqual([['00:00:00:01:01:fa', { frames: 2, bytes: 17 + 15 }]])
})

test('jumbo frames pass whole through a segment', async () => {
  await using segment = await joinSegment(await address())
  const large = Uint8Array.from({ length: 65_507 }, (_, index) => header[index] ?? index)
  const received = await next(segment, () => segment.inject(large))
  expect(Buffer.compare(received!.bytes, large)).toBe(0)
})

test('bytes that are not a frame are neither sent nor received', async () => {
  await using segment = await joinSegment(await address())
  const refusal = { code: 'SEGMENT_SEND', reason: expect.stringContaining('14 to 65507') }
  await expect(segment.inject(frame().subarray(0, 13))).rejects.toMatchObject(refusal)
  await expect(segment.inject(new Uint8Array(65_508))).rejects.toMatchObject(refusal)
})

test('closing a segment ends its captures and refuses further frames', async () => {
  const segment = await joinSegment(await address())
  const frames = segment.capture()
  await segment.close()
  await segment.close()
  expect(await frames.next()).toEqual({ value: undefined, done: true })
  await expect(segment.inject(frame())).rejects.toMatchObject({ reason: 'it has been closed' })
})

test('captured frames make a file that tcpdump reads', async () => {
  await using segment = await joinSegment(await address())
  const frames = segment.capture()
  for (const payload of [1, 2, 3]) await segment.inject(frame(payload))
  const three = [await frames.next(), await frames.next(), await frames.next()].map(({ value }) => value!)
  const path = join(tmpdir(), `${process.pid}.pcap`)
  await writeFile(path, pcap(three))
  expect((await readFile(path)).length).toBe(24 + 3 * (16 + 15))
  await rm(path)
})

test('no frame of a segment reaches another interface than loopback', async () => {
  const { group, port } = await address()
  await using segment = await joinSegment({ group, port })
  const hex = Buffer.from(group.split('.').map(Number)).swap32().toString('hex').toUpperCase()
  const igmp = await readFile('/proc/net/igmp', 'latin1')
  const devices = igmp.split(/^(?=\d)/m).filter(text => text.includes(hex))
  expect(devices.map(text => text.split(/\s+/)[1])).toEqual(['lo'])
  expect(segment.group).toBe(group)
})
