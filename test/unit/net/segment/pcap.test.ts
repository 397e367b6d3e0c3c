import { describe, expect, test } from 'vitest'
import { pcap } from '../../../../src/net/index.ts'
import { frameOf } from '../../../../src/net/segment/frame.ts'

const arp = Uint8Array.of(...[255, 255, 255, 255, 255, 255], ...[0, 0, 0, 1, 1, 2], 8, 6, 0, 1)

describe('a captured frame', () => {
  test('has source, destination, type and bytes', () => {
    expect(frameOf(arp, 5)).toEqual({
      at: 5,
      destination: 'ff:ff:ff:ff:ff:ff',
      source: '00:00:00:01:01:02',
      etherType: 0x0806,
      bytes: arp,
    })
  })

  test('has at least a header', () => {
    expect(frameOf(arp.subarray(0, 13), 0)).toBeUndefined()
    expect(frameOf(arp.subarray(0, 14), 0)).toBeDefined()
  })
})

test('captured frames are written as a pcap-savefile(5)', async () => {
  const pieces: Uint8Array[] = []
  for await (const piece of pcap([frameOf(arp, 1_700_000_000_123.456)!])) pieces.push(piece)
  expect(Buffer.concat(pieces).toString('hex')).toBe(
    [
      'd4c3b2a1' + '0200' + '0400' + '00000000' + '00000000' + 'ffff0000' + '01000000',
      '00f15365' + '40e20100' + '10000000' + '10000000',
      Buffer.from(arp).toString('hex'),
    ].join(''),
  )
})
