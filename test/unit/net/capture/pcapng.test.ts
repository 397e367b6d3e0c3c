import { describe, expect, test } from 'vitest'
import { PcapngCounter } from '../../../../src/cli/pcapng-counter.ts'
import { pcapngEnd, pcapngStart } from '../../../../src/net/capture/pcapng.ts'
import { pcapngPackets } from '../../../support/pcapng-packets.ts'

const interfaces = [{ name: 'vm-001/eth1', filter: 'tcp' }, { name: 'vm-002/eth1' }]
const start = pcapngStart(interfaces, 'xcluster')
const packets = pcapngPackets([
  { link: 1, at: 1_700_000_000_123.456, bytes: Uint8Array.of(1, 2, 3, 4, 5) },
  { link: 0, at: 1_700_000_000_123.457, bytes: new Uint8Array(8).fill(9) },
])
const counts = { from: 1_700_000_000_000, to: 1_700_000_001_000, received: 10, dropped: 3, delivered: 1 }
const end = pcapngEnd([
  { link: 0, ...counts },
  { link: 1, ...counts, dropped: 2 ** 33 },
])

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

describe('a pcapng file', () => {
  test('begins with a section and its interfaces, which have names, one snapshot length and microseconds', () => {
    const application = `04000800${hex(Buffer.from('xcluster'))}`
    const section = `0a0d0d0a2c000000${'4d3c2b1a01000000ffffffffffffffff'}${application}000000002c000000`
    const one = `${'01000000' + '38000000' + '01000000' + '00000400'}02000b00${hex(Buffer.from('vm-001/eth1'))}00`
    const two = `${'01000000' + '30000000' + '01000000' + '00000400'}02000b00${hex(Buffer.from('vm-002/eth1'))}00`
    const microseconds = '0900010006000000'
    const filter = `0b000400${'00'}${hex(Buffer.from('tcp'))}`
    expect(hex(start)).toBe(
      [
        section,
        `${one}${microseconds}${filter}0000000038000000`,
        `${two}${microseconds}0000000030000000`,
      ].join(''),
    )
  })

  test('has each frame with its interface and time, filled up to four bytes', () => {
    const time = 1_700_000_000_123_456n.toString(16).padStart(16, '0')
    const half = (text: string) => Buffer.from(text, 'hex').reverse().toString('hex')
    const at = half(time.slice(0, 8)) + half(time.slice(8))
    expect(hex(packets.subarray(0, 40))).toBe(
      `06000000280000000100000${'0'}${at}0500000005000000010203040500000028000000`,
    )
    expect(packets.length).toBe(40 + 40)
  })

  test('is counted while it passes by, whatever pieces it comes in', () => {
    const whole = Buffer.concat([start, packets, end])
    for (let size = 1; size < 70; size++) {
      const counter = new PcapngCounter()
      for (let at = 0; at < whole.length; at += size) {
        expect(counter.complete).toBe(false)
        counter.push(whole.subarray(at, at + size))
      }
      expect(counter.tally).toEqual({ frames: 2, bytes: 13, lost: 3 + 2 ** 33 })
      expect(counter.complete).toBe(true)
    }
  })

  test('that was cut off is not complete', () => {
    const whole = Buffer.concat([start, packets, end])
    for (const length of [0, 5, start.length, start.length + packets.length, whole.length - 1]) {
      const counter = new PcapngCounter()
      counter.push(whole.subarray(0, length))
      expect(counter.complete).toBe(false)
    }
  })
})
