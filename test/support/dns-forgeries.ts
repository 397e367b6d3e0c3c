import { type Asked, address, answerTo } from './dns-upstream.ts'

const evil = (asked: Asked) => answerTo(asked, { answers: [address(asked.name, '198.51.100.66')] })

/** The answer of a forger that guesses all but one thing. The source address is the true one here. */
export const forgeries: [string, (asked: Asked) => Buffer][] = [
  ['another id', asked => evil({ ...asked, packet: { ...asked.packet, id: asked.packet.id ^ 1 } })],
  ['QR = 0', asked => changed(evil(asked), bytes => bytes.fill(0x01, 2, 3))],
  ['another opcode', asked => changed(evil(asked), bytes => bytes.fill(0xa1, 2, 3))],
  ['another name', asked => changed(evil(asked), bytes => bytes.fill('b', 13, 14))],
  [
    'a longer name',
    asked => evil({ ...asked, packet: { ...asked.packet, questions: [{ type: 'A', name: 'x.a.example' }] } }),
  ],
  ['another type', asked => changed(evil(asked), bytes => bytes.fill(28, 24, 25))],
  ['another class', asked => changed(evil(asked), bytes => bytes.fill(3, 26, 27))],
  ['no question', asked => changed(evil(asked), bytes => bytes.fill(0, 5, 6))],
  ['records cut off', asked => evil(asked).subarray(0, -1)],
  ['a count too high', asked => changed(evil(asked), bytes => bytes.fill(0xff, 6, 8))],
  ['nothing', () => Buffer.alloc(0)],
  ['a header alone', asked => evil(asked).subarray(0, 12)],
]

function changed(bytes: Buffer, change: (bytes: Buffer) => Buffer): Buffer {
  return change(bytes)
}
