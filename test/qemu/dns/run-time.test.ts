import { afterAll, beforeAll, expect, test } from 'vitest'
import { places } from '../../../src/base/index.ts'
import { OwnerClient } from '../../../src/client/index.ts'
import { differences } from '../../support/json-doc.ts'
import { type Census, takeCensus } from '../../support/leaks.ts'
import { oneSentence, Xc } from '../../support/xc.ts'

// One cluster, whose forwarder's names and faults are changed by command, HTTP and client.
const xc = new Xc()
let census: Census
const name = `names${process.pid}`
const named = ['--name', name]

beforeAll(async () => {
  census = await takeCensus({ directories: [xc.runtime] })
  const own = ['--domain', 'lab.test', '--dns-upstream', 'off', '--dns-record', 'api A 192.0.2.1']
  await xc.good(['start', ...named, '--nvm', '2', '--nrouters', '0', '--smp', '1', ...own])
})
afterAll(async () => {
  await xc.run(['stop', ...named])
  await census.expectUnchanged()
})

const inGuest = async (node: number, ...words: string[]) =>
  (await xc.run(['exec', ...named, String(node), '--', ...words])).stdout

test('names are added, listed and removed, for some nodes too, and guests see it at once', async () => {
  expect(await inGuest(1, 'getent', 'ahostsv4', 'api')).toContain('192.0.2.1')
  const added = await xc.good(['name-add', ...named, 'api.lab.test', 'A', '192.0.2.2', '--nodes', '2,vm-002'])
  expect(added).toMatch(
    /^NAME +TTL +TYPE +ONLY FOR +FROM +DATA\napi\.lab\.test +5 +A +vm-002 +added +192\.0\.2\.2\n$/,
  )
  expect(await inGuest(2, 'getent', 'ahostsv4', 'api.lab.test')).toContain('192.0.2.2')
  expect(await inGuest(1, 'getent', 'ahostsv4', 'api.lab.test')).toContain('192.0.2.1')
  const srv = ['_http._tcp.web.lab.test', 'SRV', '0', '5', '80', 'vm-001.lab.test']
  await xc.good(['name-add', ...named, ...srv, '--ttl', '60'])
  expect(await inGuest(1, 'nslookup', '-type=srv', srv[0]!)).toContain('0 5 80 vm-001.lab.test')

  const json = JSON.parse(await xc.good(['names', ...named, '--json']))
  expect(differences('xc names', json)).toEqual([])
  expect(json).toMatchObject({ v: 1, domain: 'lab.test' })
  expect(json.names).toContainEqual({
    ...{ name: srv[0], type: 'SRV', data: '0 5 80 vm-001.lab.test', ttl: 60, source: 'added' },
  })
  const removed = JSON.parse(await xc.good(['name-remove', ...named, srv[0]!, 'srv', '--json']))
  expect(removed.names).toHaveLength(1)
  expect(await inGuest(1, 'nslookup', '-type=srv', srv[0]!)).not.toContain('0 5 80')
})

test('answers fail by command and by client, for one node', async () => {
  const fails = ['dns-fault-add', ...named, 'vm-001.lab.test', 'nxdomain', '--nodes', '2', '--seed', '7']
  expect(await xc.good([...fails, '--times', '100'])).toMatch(/vm-002 +nxdomain +1 +7 +0 of 100 \(0 fitted\)/)
  expect(await inGuest(2, 'getent', 'ahostsv4', 'vm-001.lab.test')).toBe('')
  expect(await inGuest(1, 'getent', 'ahostsv4', 'vm-001.lab.test')).toContain('192.168.0.1')
  const json = JSON.parse(await xc.good(['dns-faults', ...named, '--json']))
  expect(differences('xc dns-faults', json)).toEqual([])
  expect(json.faults).toMatchObject([{ id: 1, fault: 'nxdomain', nodes: ['vm-002'], seed: 7 }])
  expect(json.faults[0].failed).toBeGreaterThan(0)

  const client = new OwnerClient(places(xc.env, 0), name)
  const { faults } = await client.dnsFaultAdd({ name: '*', fault: 'delay', delayMs: 1, probability: 0.5 })
  expect(faults).toMatchObject([{ id: 2, probability: 0.5 }])
  expect((await client.dnsFaultClear({ id: 2 })).faults).toMatchObject([{ id: 2 }])
  await xc.good(['dns-fault-clear', ...named])
  expect(await inGuest(2, 'getent', 'ahostsv4', 'vm-001.lab.test')).toContain('192.168.0.1')
})

test.each([
  [['name-add', 'a.test', 'A', 'x'], /'x' is not valid data.*Example: 192\.0\.2\.1/],
  [['name-add', 'a.test', 'A', '192.0.2.1', '--ttl', 'x'], /--ttl: 'x' is not a whole number/],
  [['name-add', 'a.test', 'A', '192.0.2.1', '--nodes', '9'], /has no node '9'/],
  [['name-remove', 'vm-001'], /remove record vm-001: no such record/],
  [['dns-fault-add', '*', 'explode'], /'explode' is not one of nxdomain, servfail/],
  [['dns-fault-add', '*', 'drop', '--probability', '2'], /--probability: '2' is not a number up to 1/],
  [['dns-fault-clear', '99'], /there is no fault of that number/],
])('xc %j is refused in one sentence', async ([command, ...words], text) => {
  const { status, stderr } = await xc.run([command!, ...named, ...words])
  expect(status).not.toBe(0)
  expect(stderr).toMatch(text)
  expect(stderr).toMatch(oneSentence)
})
