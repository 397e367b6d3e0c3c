import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { decode } from 'dns-packet'
import { describe, expect, test } from 'vitest'
import { readMessage } from '../../../../src/dns/wire/message.ts'
import { ignore, proceed, Query } from '../../../../src/dns/wire/query.ts'
import { compare } from '../../../../src/dns/wire/question.ts'
import { FakeUpstream, query } from '../../../support/dns-upstream.ts'
import { readVector } from '../../../support/vectors.ts'
import { nastyAnswers, nastyQuestions } from '../../../vectors/dns/nasty.ts'
import { ask, askNow, forwarder, tcp } from '../asker.ts'

const folder = join(import.meta.dirname, '../../../vectors/dns')
const names = readdirSync(folder).flatMap(file => (file.endsWith('.hex') ? [file.slice(0, -4)] : []))
const packets = (name: string) => readVector(`dns/${name}`).datagrams.map(bytes => Buffer.from(bytes))

/** The result of each query of dig that is not simply passed on. */
const verdicts: Record<string, number> = {
  axfr: 5,
  ixfr: 5,
  chaos: 5,
  notify: 4,
  update: 4,
  'edns-1': 16,
  'header-only': 1,
}

/** Reading 64 KiB of anything takes far less. */
const mostMs = 100

function cpuMs(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since)
  return (user + system) / 1000
}

describe('a captured query of dig', () => {
  test('exists for each of many kinds', () => {
    expect(names.length).toBeGreaterThan(20)
  })

  test.each(names)('%s is parsed, or answered by rule', name => {
    const [bytes] = packets(name)
    const reader = new Query()
    const verdict = reader.read({ bytes: bytes!, at: 0, length: bytes!.length })
    expect(verdict).toBe(verdicts[name] ?? proceed)
  })
})

describe('a captured answer of nsd', () => {
  const passed = names.filter(name => verdicts[name] === undefined && name !== 'class')

  test.each(passed)('%s is parsed, and passed on unchanged', async name => {
    const [question, answer] = packets(name)
    const { records } = readMessage(answer!)!
    const { answers, authorities, additionals } = decode(answer!)
    expect(records).toHaveLength(answers!.length + authorities!.length + additionals!.length)
    if (answer![2]! & 2) return
    await using upstream = await FakeUpstream.open(({ bytes, reply }) => {
      // With the name in nsd's query: the answer's own spelling would belong to another query.
      const given = Buffer.concat([
        bytes.subarray(0, 2),
        answer!.subarray(2, 12),
        bytes.subarray(12, 12 + nameLength(bytes)),
      ])
      reply(Buffer.concat([given, answer!.subarray(given.length)]))
    })
    // Private reverse names go to no server that is not named for them.
    const zones = [{ domain: 'arpa', upstreams: [upstream.address] }]
    await using resolver = forwarder([upstream], { cacheTtlMax: 86_400, zones })
    const ours = await ask(resolver, question!, tcp)
    expect(ours.answers).toEqual(decode(answer!).answers)
    expect(ours.authorities).toMatchObject(
      authorities!.map(({ type, name: owner }) => ({ type, name: owner })),
    )
  })

  test('for class CH is a refusal that does not repeat the question', () => {
    const [question, answer] = packets('class')
    expect(compare(question!, answer!, question!.indexOf(0, 12) + 5 - 12)).toBe('bare')
  })
})

const nameLength = (bytes: Buffer) => bytes.indexOf(0, 12) + 1 - 12

describe('a malicious query is answered or dropped within 100 ms:', () => {
  test.each(nastyQuestions)('$what ($source)', async ({ bytes }) => {
    const resolver = forwarder([])
    const begun = process.cpuUsage()
    const answer = askNow(resolver, bytes)
    expect(cpuMs(begun)).toBeLessThan(mostMs)
    if (bytes.length < 12 || bytes[2]! & 0x80) expect(answer).toBe(0)
    else expect([1, 4, 2]).toContain(typeof answer === 'number' ? 2 : answer.rcodeNumber)
  })
})

describe('a malicious answer is ignored within 100 ms:', () => {
  test.each(nastyAnswers)('$what ($source)', async ({ bytes }) => {
    const begun = process.cpuUsage()
    readMessage(bytes)
    expect(cpuMs(begun)).toBeLessThan(mostMs)
    const clock = { now: () => 0, after: () => () => {} }
    await using upstream = await FakeUpstream.open(asked => {
      asked.reply(Buffer.concat([asked.bytes.subarray(0, 2), bytes.subarray(2)]).subarray(0, 60_000))
      asked.reply(asked.bytes)
      asked.reply(Buffer.concat([asked.bytes.subarray(0, 2), Buffer.of(0x81, 0x83), asked.bytes.subarray(4)]))
    })
    await using resolver = forwarder([upstream], { clock })
    expect((await ask(resolver, query('a.example'), tcp)).rcodeNumber).toBe(3)
  })
})

test('an answer sent as a query is dropped', () => {
  const [, answer] = packets('a')
  expect(new Query().read({ bytes: answer!, at: 0, length: answer!.length })).toBe(ignore)
})
