import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeFrame, frameFilter } from '../../../../src/net/index.ts'
import { frames } from '../../../support/frames.ts'

const decoded = (name: keyof typeof frames) => decodeFrame(frames[name]!)!

describe('the headers of a frame', () => {
  test('of TCP over IPv4 are all decoded, and what follows is the payload', () => {
    expect({ ...decoded('tcpData'), payload: Buffer.from(decoded('tcpData').payload).toString() }).toEqual({
      ethernet: { source: '00:00:00:01:01:01', destination: '00:00:00:01:01:02', etherType: 0x0800 },
      vlans: [],
      ip: {
        ...{ version: 4, source: '192.168.1.1', destination: '192.168.1.2', protocol: 6 },
        ...{ ttl: 64, dscp: 46, ecn: 1, laterFragment: false },
      },
      tcp: {
        ...{ sourcePort: 80, destinationPort: 40_000, sequence: 4_000_000_000, acknowledgement: 17 },
        ...{ window: 502, flags: ['psh', 'ack'] },
      },
      payload: 'hello',
    })
  })

  test('of ARP have both addresses, and no payload from what fills the frame up', () => {
    expect(decoded('arpReply').arp).toEqual({
      ...{ operation: 2, senderMac: '00:00:00:01:01:01', senderAddress: '192.168.1.1' },
      ...{ targetMac: '00:00:00:01:01:02', targetAddress: '192.168.1.2' },
    })
    expect(decoded('arpReply').payload.length).toBe(0)
  })

  test('of IPv6 are decoded after its extension headers', () => {
    expect(decoded('options6')).toMatchObject({
      ip: { version: 6, source: 'fd00::c0a8:101', protocol: 17, ttl: 63, dscp: 46, ecn: 1 },
      udp: { sourcePort: 6003, destinationPort: 6004 },
    })
  })

  test('of ICMP have identifier and sequence of an echo, and the target of a solicitation', () => {
    expect(decoded('ping').icmp).toEqual({ type: 8, code: 0, identifier: 77, sequence: 3 })
    expect(decoded('unreachable').icmp).toEqual({ type: 3, code: 1 })
    expect(decoded('solicitation').icmp6).toEqual({ type: 135, code: 0, target: 'fd00::c0a8:102' })
  })

  test('after VLAN tags are decoded, and the tags are listed with the outer first', () => {
    expect(decoded('taggedTwice')).toMatchObject({ vlans: [6, 7], udp: { sourcePort: 1 } })
    expect(decoded('tagged')).toMatchObject({
      vlans: [5],
      ethernet: { etherType: 0x0800 },
      tcp: { flags: ['ack'] },
    })
  })

  test('of a later fragment end with IP', () => {
    const { ip, udp, payload } = decoded('laterFragment')
    expect([ip?.laterFragment, udp, Buffer.from(payload).toString()]).toEqual([true, undefined, 'hello'])
    expect(decoded('firstFragment')).toMatchObject({ ip: { laterFragment: false }, udp: { sourcePort: 7 } })
  })

  test('are read from no byte beyond the frame, at whatever length it is cut off', () => {
    for (const bytes of Object.values(frames))
      for (let length = 0; length <= bytes.length; length++) {
        const whole = decodeFrame(bytes)!
        const cut = decodeFrame(bytes.slice(0, length))
        if (length < 14) expect(cut).toBeUndefined()
        else
          for (const part of ['arp', 'tcp', 'udp'] as const)
            if (cut![part]) expect(cut![part]).toEqual(whole[part])
      }
  })

  test('of random bytes, and of frames with random bytes in them, are read without an error', () => {
    const passes = frameFilter('src host 10.0.0.1 or dst net fd00::/8 or port 80 or vlan 3 or icmp6')
    const kinds = fc.constantFrom(...Object.values(frames))
    const change = fc.array(fc.tuple(fc.nat(120), fc.nat(255)), { maxLength: 8 })
    fc.assert(
      fc.property(kinds, change, fc.uint8Array({ maxLength: 100 }), (frame, changes, random) => {
        const changed = frame.slice()
        for (const [at, value] of changes) if (at < changed.length) changed[at] = value
        for (const bytes of [changed, random]) {
          const headers = decodeFrame(bytes)
          expect(headers === undefined).toBe(bytes.length < 14)
          expect(headers === undefined || headers.payload.length <= bytes.length).toBe(true)
          expect(typeof passes(bytes)).toBe('boolean')
        }
      }),
      { numRuns: 3000 },
    )
  })
})
