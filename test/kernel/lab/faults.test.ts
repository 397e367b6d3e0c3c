import { describe, expect } from 'vitest'
import type { Fault } from '../../../src/dns/index.ts'
import { FakeUpstream } from '../../support/dns-upstream.ts'
import { test } from '../../support/leaks.ts'
import { dig, openLab } from './dig.ts'

/** A forwarder with one name of its own, and an upstream that has all others. */
async function lab(faults: readonly Fault[] = []) {
  const upstream = await FakeUpstream.open()
  const dns = await openLab({ upstreams: [upstream.address], faults })
  dns.setHosts({ hosts: [{ name: 'own.lab.test', addresses: ['192.0.2.9'] }] })
  const close = async () => {
    await dns.close()
    await upstream[Symbol.asyncDispose]()
  }
  return { dns, upstream, [Symbol.asyncDispose]: close }
}

describe.each(['+notcp', '+tcp'])('answers that fail, asked with dig %s:', transport => {
  test.each([
    ['nxdomain', 'NXDOMAIN'],
    ['servfail', 'SERVFAIL'],
    ['refused', 'REFUSED'],
  ] as const)('%s, for own names and others, cached ones too, until it is cleared', async (fault, status) => {
    await using open = await lab()
    const { dns } = open
    expect(await dig(dns, 'www.example.org', transport)).toMatchObject({ status: 'NOERROR' })
    const { id } = dns.faults.add({ name: '*', fault })
    for (const name of ['www.example.org', 'own.lab.test', 'new.example.org']) {
      const dug = await dig(dns, name, transport)
      expect(dug).toMatchObject({ status, answer: [] })
      expect(dug.opt).toContain('EDE: 4 (Forged Answer)')
    }
    expect(dns.faults.clear(id)).toMatchObject([{ id, fault, matched: 3, failed: 3 }])
    expect(await dig(dns, 'www.example.org', transport)).toMatchObject({ status: 'NOERROR' })
    expect(await dig(dns, 'own.lab.test', transport)).toMatchObject({
      answer: ['own.lab.test. 5 A 192.0.2.9'],
    })
  })

  test('drop: no answer, and the next name is answered', async () => {
    await using open = await lab([{ name: 'drop.example.org', fault: 'drop' }])
    expect(await dig(open.dns, 'drop.example.org', transport)).toMatchObject({ status: 'none' })
    expect(await dig(open.dns, 'www.example.org', transport)).toMatchObject({ status: 'NOERROR' })
    expect(open.upstream.asked.map(({ name }) => name)).toEqual(['www.example.org'])
  })

  test('a delay: the right answer comes after that time, from the cache too', async () => {
    await using open = await lab([{ name: '*.example.org', fault: 'delay', delayMs: 200 }])
    for (const _ of [1, 2]) {
      const begun = performance.now()
      expect(await dig(open.dns, 'www.example.org', transport)).toMatchObject({ status: 'NOERROR' })
      expect(performance.now() - begun).toBeGreaterThanOrEqual(199)
    }
    expect(open.upstream.asked).toHaveLength(1)
  })

  test('only queries for names, types and from askers that fit', async () => {
    await using open = await lab([
      { name: '*.example.org', fault: 'servfail', type: 'AAAA' },
      { name: 'asker.example.org', fault: 'refused', askers: ['127.0.0.2', '127.1.0.0/16'] },
      { name: 'example.org', fault: 'nxdomain' },
    ])
    const status = async (...words: string[]) => (await dig(open.dns, transport, ...words)).status
    expect(await status('www.example.org', 'AAAA')).toBe('SERVFAIL')
    expect(await status('WWW.a.Example.ORG', 'AAAA')).toBe('SERVFAIL')
    expect(await status('www.example.org', 'A')).toBe('NOERROR')
    expect(await status('xexample.org', 'AAAA')).toBe('NOERROR')
    expect(await status('example.org', 'AAAA')).toBe('NXDOMAIN')
    expect(await status('asker.example.org')).toBe('NOERROR')
    expect(await status('-b', '127.0.0.2', 'asker.example.org')).toBe('REFUSED')
    expect(await status('-b', '127.1.2.3', 'asker.example.org')).toBe('REFUSED')
    expect(await status('-b', '127.0.0.3', 'asker.example.org')).toBe('NOERROR')
  })
})

test('truncation: over UDP the question with TC alone, over TCP the whole answer', async () => {
  await using open = await lab([{ name: 'www.example.org', fault: 'truncate' }])
  const cut = await dig(open.dns, 'www.example.org', '+ignore')
  expect(cut).toMatchObject({ status: 'NOERROR', answer: [] })
  expect(cut.flags).toContain('tc')
  const whole = await dig(open.dns, 'www.example.org')
  expect(whole.answer).toEqual(['www.example.org. 300 A 192.0.2.1'])
  expect(whole.text).toContain('Truncated, retrying in TCP mode')
})

describe('a fault with a probability', () => {
  const pattern = async (seed: number) => {
    await using open = await lab([{ name: '*', fault: 'servfail', probability: 0.5, seed }])
    let outcomes = ''
    for (let i = 0; i < 16; i++)
      outcomes += (await dig(open.dns, `n${i}.example.org`)).status === 'SERVFAIL' ? 'x' : '.'
    return outcomes
  }

  test('chooses the same queries again with the same seed, and others with another', async () => {
    const first = await pattern(7)
    expect(first).toMatch(/x/)
    expect(first).toMatch(/\./)
    expect(await pattern(7)).toBe(first)
    expect(await pattern(8)).not.toBe(first)
  })

  test('has a seed of its own when none is given, which tells it again', async () => {
    await using open = await lab()
    const { seed } = open.dns.faults.add({ name: '*', fault: 'servfail', probability: 0.5 })
    expect(seed).toEqual(expect.any(Number))
    expect(open.dns.faults.list()).toMatchObject([{ id: 1, seed, probability: 0.5, matched: 0, failed: 0 }])
  })

  test('and with a number of times ends by itself', async () => {
    await using open = await lab([{ name: 'www.example.org', fault: 'servfail', times: 2 }])
    const seen = []
    for (let i = 0; i < 4; i++) seen.push((await dig(open.dns, 'www.example.org')).status)
    expect(seen).toEqual(['SERVFAIL', 'SERVFAIL', 'NOERROR', 'NOERROR'])
    expect(open.dns.faults.list()).toMatchObject([{ matched: 4, failed: 2 }])
  })
})

test.each([
  [{ name: 'a..b', fault: 'drop' }, "'a..b' is not a name"],
  [{ name: 'a.*.b', fault: 'drop' }, "'a.*.b' is not a name"],
  [
    { name: '*', fault: 'explode' },
    "'explode' is not one of nxdomain, servfail, refused, drop, delay, truncate",
  ],
  [{ name: '*', fault: 'drop', type: 'B' }, "'B' is not a type"],
  [{ name: '*', fault: 'drop', askers: ['vm-001'] }, "'vm-001' is not an address"],
  [{ name: '*', fault: 'drop', probability: 0 }, 'the probability 0 is not above 0'],
  [{ name: '*', fault: 'drop', probability: 1.01 }, 'the probability 1.01 is not'],
  [{ name: '*', fault: 'drop', probability: Number.NaN }, 'the probability NaN is not'],
  [{ name: '*', fault: 'drop', seed: -1 }, 'the seed -1 is not'],
  [{ name: '*', fault: 'drop', times: 0 }, '0 is not a number of times'],
  [{ name: '*', fault: 'delay' }, 'only a delay has a time'],
  [{ name: '*', fault: 'delay', delayMs: 60_001 }, 'of 1 to 60000 ms'],
  [{ name: '*', fault: 'drop', delayMs: 5 }, 'only a delay has a time'],
])('a wrong fault is refused: %o', async (fault, text) => {
  await using open = await lab()
  const refusal = { code: 'BAD_FAULT', reason: expect.stringContaining(text) }
  expect(() => open.dns.faults.add(fault as Fault)).toThrow(expect.objectContaining(refusal) as Error)
  await expect(openLab({ faults: [fault as Fault] })).rejects.toMatchObject(refusal)
  expect(open.dns.faults.list()).toEqual([])
})
