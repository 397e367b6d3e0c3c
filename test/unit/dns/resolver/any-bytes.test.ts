import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Port, PortReceiver } from '../../../../src/base/index.ts'
import { openResolver } from '../../../../src/dns/index.ts'
import { readMessage } from '../../../../src/dns/wire/message.ts'
import { query } from '../../../support/dns-upstream.ts'
import { ManualClock } from '../../../support/manual-clock.ts'
import { tcp, udp } from '../asker.ts'

/** A network on which every query gets the answers that the elements of `answers` make of it, in turn. */
class Network {
  answers: ((question: Buffer) => Buffer)[] = []
  open = 0

  readonly dial = (): Port => {
    let receiver: PortReceiver | undefined
    let closed = false
    this.open++
    const close = async () => {
      if (!closed) this.open--
      closed = true
    }
    return {
      receive: each => {
        receiver = each
      },
      send: bytes => {
        for (const answer of this.answers) if (!closed) receiver?.data(answer(Buffer.from(bytes)))
      },
      close,
      [Symbol.asyncDispose]: close,
    }
  }
}

const answerRecord = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 0, 0, 4, 192, 0, 2, 1])

/** The answer of a good server, without an OPT record. */
function good(question: Buffer): Buffer {
  const answer = Buffer.concat([question.subarray(0, question.length - 11), answerRecord])
  answer.set([0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0], 2)
  return answer
}

const garbage = fc.uint8Array({ maxLength: 80 }).map(bytes => () => Buffer.from(bytes))
/** The query's id, so that the answer is parsed. */
const aimed = fc
  .uint8Array({ maxLength: 80 })
  .map(bytes => (question: Buffer) => Buffer.concat([question.subarray(0, 2), bytes]))
const damaged = fc
  .array(fc.tuple(fc.nat(60), fc.nat(255)), { minLength: 1, maxLength: 4 })
  .map(changes => (question: Buffer) => {
    const answer = good(question)
    for (const [at, value] of changes) if (at < answer.length) answer[at] = value
    return answer
  })
const cut = fc.nat(50).map(length => (question: Buffer) => good(question).subarray(0, length))

test('any bytes of upstreams give a readable answer to the query in time', async () => {
  const anything = fc.array(fc.oneof(garbage, aimed, damaged, cut, fc.constant(good)), { maxLength: 5 })
  await fc.assert(
    fc.asyncProperty(anything, fc.constantFrom(udp, tcp), async (answers, asker) => {
      const clock = new ManualClock()
      const network = new Network()
      network.answers = answers
      const dialer = { udp: network.dial, tcp: network.dial }
      await using resolver = openResolver({
        upstreams: ['192.0.2.1', '192.0.2.2'],
        loopCheck: false,
        clock,
        dialer,
      })
      const asked = query('wWw.example', { id: 0xbeef, edns: 1232 })
      const waiting = resolver.resolve(asked, asker)
      // Time passes to the next attempt, to the end of an attempt, and to the end of the client's wait.
      for (const ms of [400, 400, 1100]) clock.pass(ms)
      const answer = Buffer.from((await waiting)!)
      expect(readMessage(answer)).toBeDefined()
      expect(answer.readUInt16BE(0)).toBe(0xbeef)
      expect(answer.subarray(12, 29)).toEqual(asked.subarray(12, 29))
      await resolver.close()
      expect(network.open).toBe(0)
      expect(clock.waiting).toBe(0)
    }),
    { numRuns: 100 },
  )
})

test('any bytes of a client are answered, dropped or delayed, and leave the cache intact', async () => {
  const network = new Network()
  network.answers = [good]
  const dialer = { udp: network.dial, tcp: network.dial }
  await using resolver = openResolver({ upstreams: ['192.0.2.1'], loopCheck: false, dialer })
  const known = query('a.example', { edns: 1232 })
  await resolver.resolve(known, udp)
  const into = { bytes: Buffer.alloc(1300), at: 0, length: 1300 }
  const changes = fc.array(fc.tuple(fc.nat(known.length - 1), fc.nat(255)), { maxLength: 3 })
  fc.assert(
    fc.property(changes, fc.nat(known.length + 3), (each, length) => {
      const bytes = Buffer.concat([known, Buffer.alloc(3)])
      for (const [at, value] of each) bytes[at] = value
      const given = resolver.answerNow({ bytes, at: 0, length }, udp, into)
      expect(given).toBeGreaterThanOrEqual(-1)
      expect(given).toBeLessThanOrEqual(1232)
      if (given <= 12) return
      const answer = Buffer.from(into.bytes.subarray(0, given))
      // A question that was not read is not repeated: header and OPT, with an extended error or without.
      if (answer[5] === 0) expect([12 + 11, 12 + 11 + 6]).toContain(given)
      else expect(readMessage(answer)).toBeDefined()
    }),
    { numRuns: 3000 },
  )
  const length = resolver.answerNow({ bytes: known, at: 0, length: known.length }, udp, into)
  expect(into.bytes.subarray(0, length).includes(Buffer.of(192, 0, 2, 1))).toBe(true)
})
