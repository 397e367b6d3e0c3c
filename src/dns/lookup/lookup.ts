import { randomInt } from 'node:crypto'
import { type Clock, systemClock, unlessAborted, within } from '../../base/index.ts'
import { aborted, DnsError } from '../errors.ts'
import { parsePlace, placeText } from '../server/address.ts'
import { take } from '../takes.ts'
import { systemDialer } from '../upstream/transport/sockets.ts'
import { Frames, framed } from '../wire/frames.ts'
import { typeNumber } from '../wire/mnemonics.ts'
import { nameBytes } from '../wire/name.ts'
import { keyOf, questionOf, writeQuestion } from '../wire/question.ts'

export interface Lookup {
  readonly name: string
  /** Default: `A`. */
  readonly type?: string
  /** `192.0.2.1`, `[::1]:10053`. Default port: 53. */
  readonly server: string
  readonly tcp?: boolean
  readonly timeoutMs?: number
  /** Ends the wait: DNS_ABORTED. */
  readonly signal?: AbortSignal
  readonly clock?: Clock
}

/** Sends one query to one server and returns the bytes of its answer. Equivalent: `dig @server name type`. */
export async function lookUp(lookup: Lookup): Promise<Buffer> {
  const { name, type = 'A', server, tcp = false, timeoutMs = 5000, ...wait } = take('ask', lookup, 'lookup')
  const wire = nameBytes(name)
  const number = typeNumber(type)
  if (wire === undefined || number === undefined)
    throw new DnsError({
      code: 'DNS_BAD_QUESTION',
      kind: 'usage',
      op: 'ask for',
      target: wire === undefined ? name : type,
      reason: wire === undefined ? 'it is not a valid domain name' : 'the record type is unknown',
      remedy: 'Example: the name example.org and the type AAAA',
    })
  const id = randomInt(0x10000)
  const question = writeQuestion(questionOf(keyOf(wire, number)), {
    id,
    edns: true,
    ad: false,
    capitals: undefined,
  })
  const place = { ...parsePlace(server, 53), scope: undefined }
  const port = tcp ? systemDialer.tcp(place) : systemDialer.udp(place)
  const target = placeText(place)
  const silent = (reason: string) =>
    new DnsError({
      code: 'DNS_NO_ANSWER',
      op: 'ask',
      target,
      reason,
      remedy: 'Check that a DNS server listens at this address',
    })
  try {
    const answer = new Promise<Buffer>((resolve, reject) => {
      const frames = new Frames()
      const take = (message: Buffer) => {
        if (message.length >= 12 && message.readUInt16BE(0) === id) resolve(message)
      }
      port.receive({
        data: bytes => (tcp ? frames.messages(bytes) : [Buffer.from(bytes)]).forEach(take),
        end: failure => reject(silent(failure?.message ?? 'the server closed the connection')),
      })
      port.send(tcp ? framed(question) : question)
    })
    const late = () => silent(`no answer within ${timeoutMs} ms`)
    const found = within(answer, { clock: wait.clock ?? systemClock, ms: timeoutMs, late })
    return await unlessAborted(found, wait.signal, reason => aborted('ask', target, reason))
  } finally {
    await port.close()
  }
}
