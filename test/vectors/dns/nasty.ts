import { encode } from 'dns-packet'

/** A malformed or hostile packet, made here, with its description and its origin. */
export interface Nasty {
  readonly what: string
  /** An RFC, an advisory, or the program that sends such. */
  readonly source: string
  readonly bytes: Buffer
}

const header = (flags: number, counts: readonly number[]) => {
  const bytes = Buffer.alloc(12)
  for (const [i, value] of [0x1234, flags, ...counts].entries()) bytes.writeUInt16BE(value, 2 * i)
  return bytes
}
const name = Buffer.from('\x01a\x07example\0', 'latin1')
const aIn = Buffer.of(0, 1, 0, 1)
const question = Buffer.concat([name, aIn])
const record = (owner: Buffer, type: number, data: Buffer) => {
  const fixed = Buffer.alloc(10)
  fixed.writeUInt16BE(type, 0)
  fixed.writeUInt16BE(1, 2)
  fixed.writeUInt32BE(300, 4)
  fixed.writeUInt16BE(data.length, 8)
  return Buffer.concat([owner, fixed, data])
}
const pointer = (to: number) => Buffer.of(0xc0 | (to >> 8), to & 0xff)
const questions = (flags: number, counts: readonly number[], ...parts: Buffer[]) =>
  Buffer.concat([header(flags, counts), ...parts])
const address = Buffer.of(192, 0, 2, 1)

/** As many records as 64 KiB hold, the owner of each a pointer to the one before. */
function pointerChain(flags: number): Buffer {
  const parts = [question]
  let at = 12 + question.length
  let before = 12
  while (at + 12 <= 0xffff) {
    parts.push(record(pointer(Math.min(before, 0x3fff)), 16, Buffer.alloc(0)))
    before = at
    at += 12
  }
  return questions(
    flags,
    [1, flags & 0x8000 ? parts.length - 1 : 0, 0, flags & 0x8000 ? 0 : parts.length - 1],
    ...parts,
  )
}

/** A name of pointers alone, each to the one before: a walk as long as the message for every record. */
function pointerLadder(): Buffer {
  const ladder = Array.from({ length: 8000 }, (_, i) =>
    pointer(i === 0 ? 12 : Math.min(0x3fff, 12 + question.length + 12 + 2 * (i - 1))),
  )
  const data = record(pointer(12), 16, Buffer.concat(ladder))
  const last = pointer(12 + question.length + 12 + 2 * 7999)
  const rest = Array.from({ length: 4000 }, () => record(last, 16, Buffer.alloc(0)))
  return questions(0x8180, [1, 4001, 0, 0], question, data, ...rest)
}

const longLabels = Buffer.concat([
  ...Array.from({ length: 5 }, () => Buffer.concat([Buffer.of(63), Buffer.alloc(63, 0x61)])),
  Buffer.of(0),
])
const opt = Buffer.of(0, 0, 41, 0x10, 0, 0, 0, 0, 0, 0, 0)

/** As questions. */
export const nastyQuestions: readonly Nasty[] = [
  {
    what: '12 bytes of 0xff',
    source: 'found slow in dns-packet 5.6.1: counts are believed',
    bytes: Buffer.alloc(12, 0xff),
  },
  {
    what: 'all counts 65,535, QR = 0',
    source: 'RFC 9267 §6: counts to be checked',
    bytes: questions(0x0100, [0xffff, 0xffff, 0xffff, 0xffff]),
  },
  {
    what: 'one question, 65,535 additional records',
    source: 'RFC 9267 §6',
    bytes: questions(0x0100, [1, 0, 0, 0xffff], question),
  },
  {
    what: 'a name that points to itself',
    source: 'RFC 9267 §2: compression loops',
    bytes: questions(0x0100, [1, 0, 0, 0], pointer(12), aIn),
  },
  {
    what: 'a name that points to what comes',
    source: 'CVE-2020-8616 and many others',
    bytes: questions(0x0100, [1, 0, 0, 0], pointer(0x3fff), aIn),
  },
  {
    what: 'a name of 321 bytes',
    source: 'RFC 9267 §4: name length',
    bytes: questions(0x0100, [1, 0, 0, 0], longLabels, aIn),
  },
  {
    what: 'a label longer than the message',
    source: 'RFC 9267 §3: label length',
    bytes: questions(0x0100, [1, 0, 0, 0], Buffer.of(60, 97, 0), aIn),
  },
  {
    what: 'a name without end',
    source: 'RFC 9267 §5: NUL termination',
    bytes: questions(0x0100, [1, 0, 0, 0], Buffer.of(1, 97)),
  },
  {
    what: 'labels of the reserved kinds',
    source: 'RFC 1035 §4.1.4, RFC 2673',
    bytes: questions(0x0100, [1, 0, 0, 0], Buffer.of(0x41, 1, 0x80, 0), aIn),
  },
  {
    what: 'an OPT with data beyond the end',
    source: 'RFC 6891 §6.1.2',
    bytes: questions(0x0100, [1, 0, 0, 1], question, opt.subarray(0, -2), Buffer.of(0xff, 0xff)),
  },
  {
    what: 'an OPT with half an option',
    source: 'RFC 6891 §6.1.2',
    bytes: questions(0x0100, [1, 0, 0, 1], question, opt.subarray(0, -1), Buffer.of(3, 0, 10, 0)),
  },
  {
    what: 'nothing behind the header',
    source: 'sent by port scanners',
    bytes: questions(0x0100, [1, 0, 0, 0]),
  },
  {
    what: 'an HTTP request',
    source: 'sent by browsers to port 53',
    bytes: Buffer.from('GET / HTTP/1.1\r\nHost: ns.example\r\n\r\n'),
  },
  {
    what: 'a TLS hello',
    source: 'sent by browsers to port 53',
    bytes: Buffer.from('16030100a5010000a10303', 'hex'),
  },
  {
    what: '64 KiB of records that point to one another',
    source: 'found slow in dns-packet 5.6.1: 198 ms',
    bytes: pointerChain(0x0100),
  },
]

/** As answers to `a.example A`, id 0x1234. */
export const nastyAnswers: readonly Nasty[] = [
  {
    what: '64 KiB of records that point to one another',
    source: 'found slow in dns-packet 5.6.1: 198 ms',
    bytes: pointerChain(0x8180),
  },
  {
    what: '4,000 names behind 8,000 pointers',
    source: 'RFC 9267 §2: pointers are to be counted',
    bytes: pointerLadder(),
  },
  {
    what: 'more answers than bytes',
    source: 'RFC 9267 §6',
    bytes: questions(0x8180, [1, 0xffff, 0, 0], question, record(pointer(12), 1, address)),
  },
  {
    what: 'data beyond the end',
    source: 'RFC 9267 §7: RDLENGTH',
    bytes: questions(0x8180, [1, 1, 0, 0], question, record(pointer(12), 1, address).subarray(0, -1)),
  },
  {
    what: 'an owner in its own data',
    source: 'CVE-2017-14491 used such',
    bytes: questions(0x8180, [1, 1, 0, 0], question, record(pointer(12 + question.length + 12), 1, address)),
  },
  {
    what: 'an OPT among the answers',
    source: 'RFC 6891 §6.1.1',
    bytes: questions(0x8180, [1, 1, 0, 0], question, opt),
  },
  { what: 'two OPTs', source: 'RFC 6891 §6.1.1', bytes: questions(0x8180, [1, 0, 0, 2], question, opt, opt) },
  {
    what: 'another question',
    source: 'RFC 5452 §3',
    bytes: encode({ type: 'response', id: 0x1234, questions: [{ type: 'A', name: 'b.example' }] }),
  },
]
