import { describe, expect, test } from 'vitest'
import { PcapngCounter } from '../../../src/cli/pcapng-counter.ts'
import { PacketMerge } from '../../../src/fleet/pcapng-merge.ts'
import { pcapngEnd, pcapngStart } from '../../../src/net/capture/pcapng.ts'
import { pcapngPackets } from '../../support/pcapng-packets.ts'

const frame = (link: number, at: number) => ({ link, at, bytes: Uint8Array.from({ length: 15 }, () => at) })
const packets = (...frames: ReturnType<typeof frame>[]) => pcapngPackets(frames)
const counts = { from: 0, to: 9, received: 2, dropped: 0, delivered: 2 }

function openMerge() {
  let now = 0
  const merge = new PacketMerge(2, () => now)
  const file: Uint8Array[] = []
  const [a, b] = [
    pcapngStart([{ name: 'vm-001/eth1' }], 'test'),
    pcapngStart([{ name: 'vm-003/eth1' }, { name: 'vm-004/eth1' }], 'test'),
  ]
  file.push(...merge.push(0, a), ...merge.push(1, b))
  const pass = (ms: number) => {
    now += ms
  }
  return { merge, file, pass }
}

describe('captures of several hosts in one file', () => {
  test('have all interfaces, and the frames in the order of time', () => {
    const { merge, file } = openMerge()
    // The second host's bytes come in pieces that are no blocks.
    const bytes = packets(frame(0, 2), frame(1, 4))
    for (const byte of bytes) file.push(...merge.push(1, Uint8Array.of(byte)))
    file.push(...merge.push(0, packets(frame(0, 1), frame(0, 3))), ...merge.due())
    merge.push(0, pcapngEnd([{ link: 0, ...counts }]))
    merge.push(1, pcapngEnd([0, 1].map(link => ({ link, ...counts }))))
    expect([merge.end(0), merge.end(0), merge.end(1)]).toEqual([true, false, true])
    file.push(...merge.rest(() => 'not said'))
    const names = ['vm-001/eth1', 'vm-003/eth1', 'vm-004/eth1'].map(name => ({ name }))
    expect(Buffer.concat(file)).toEqual(
      Buffer.concat([
        pcapngStart(names, 'test'),
        packets(frame(0, 1), frame(1, 2), frame(0, 3), frame(2, 4)),
        pcapngEnd([0, 1, 2].map(link => ({ link, ...counts }))),
      ]),
    )
  })

  test('have all frames and counts when one of them is cut off, and say why it was', () => {
    const { merge, file } = openMerge()
    file.push(...merge.push(0, packets(frame(0, 1))))
    file.push(...merge.push(1, packets(frame(1, 2)).subarray(0, -1)))
    merge.push(0, pcapngEnd([{ link: 0, ...counts, dropped: 3 }]))
    file.push(...merge.rest(at => `host ${at}: its process has ended`))
    const counter = new PcapngCounter()
    for (const piece of file) counter.push(piece)
    expect(counter.tally).toEqual({ frames: 1, bytes: 15, lost: 3 })
    expect(counter.complete).toBe(true)
    expect(counter.comments).toEqual(['host 1: its process has ended'])
  })

  test('wait half a second for frames of a host that is silent', () => {
    const { merge, pass } = openMerge()
    merge.push(0, packets(frame(0, 1)))
    pass(499)
    expect(merge.due()).toEqual([])
    pass(1)
    expect(merge.due().length).toBe(1)
  })
})
