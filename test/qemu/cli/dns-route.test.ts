import { afterAll, beforeAll, expect, test } from 'vitest'
import { differences } from '../../support/json-doc.ts'
import { type Census, takeCensus } from '../../support/leaks.ts'
import { inNamespace } from '../../support/namespace.ts'
import { Outside } from '../../support/outside.ts'
import { oneSentence, Xc } from '../../support/xc.ts'

// The host is a namespace of the test.
let outside: Outside
let xc: Xc
let census: Census

beforeAll(async () => {
  outside = await new Outside().connect()
  xc = new Xc({ host: outside.host })
  census = await takeCensus({ directories: [xc.runtime] })
})
afterAll(async () => {
  await xc.run(['stop', '--all'])
  await census.expectUnchanged()
  await outside[Symbol.asyncDispose]()
})

const start = ['start', '--nvm', '1', '--nrouters', '0', '--smp', '1', '--dns-upstream', 'off']

test('the address that xc dns-route gives answers for the domain and the reverse zones on the host', async () => {
  await xc.good([...start, '--domain', 'lab.test', '--uplink'])
  const route = JSON.parse(await xc.good(['dns-route', '--json']))
  expect(differences('xc dns-route', route)).toEqual([])
  const dig = async (...words: string[]) =>
    (
      await inNamespace(outside.host, [
        'dig',
        '+short',
        `@${route.address}`,
        '-p',
        String(route.port),
        ...words,
      ])
    ).stdout.trim()
  expect(await dig('vm-001.lab.test')).toBe('192.168.0.1')
  expect(await dig('+tcp', 'vm-001.lab.test', 'AAAA')).toBe('fd00::c0a8:1')
  expect(await dig('-x', '192.168.0.1')).toBe('vm-001.lab.test.')
  expect(route.zones).toEqual(expect.arrayContaining(['lab.test', '0.168.192.in-addr.arpa']))
  const links = await inNamespace(outside.host, ['ip', '-br', 'link', 'show', 'dev', route.link])
  expect(links.stdout).toContain(route.link)
  expect(await xc.good(['dns-route'])).toContain(`resolvectl dns ${route.link} ${route.address}:10053\n`)
  await xc.good(['stop'])
})

test('a cluster without a domain has no route, which one sentence says', async () => {
  await xc.good(start)
  const { status, stderr } = await xc.run(['dns-route'])
  expect(status).not.toBe(0)
  expect(stderr).toMatch(oneSentence)
  expect(stderr).toContain('--domain lab.test')
  await xc.good(['stop'])
})
