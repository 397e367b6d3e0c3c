import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { differences } from '../../support/json-doc.ts'
import { type Census, takeCensus } from '../../support/leaks.ts'
import { oneSentence, Xc } from '../../support/xc.ts'

// One cluster, which a file turns into others. The tests depend on each other, in this order.
const xc = new Xc()
const file = join(xc.root, 'lab.yaml')
let census: Census

const write = (text: string) => writeFileSync(file, `name: lab\nbase: xnet\n${text}`)
const settings = 'settings: { mem: 112, smp: 1 }\n'
const setup = 'setup:\n  vm: { routes: [{ to: 2, via: { net: 1, node: 201 } }] }\n'
const names = async () => {
  const { nodes } = JSON.parse(await xc.good(['status', '--json'])) as { nodes: { name: string }[] }
  return nodes.map(({ name }) => name)
}

/** Applies the file. Afterwards the cluster is as planned, and there is nothing left to do. */
async function applied(): Promise<string[]> {
  const lines = (await xc.good(['apply', file])).trimEnd().split('\n')
  expect(await xc.good(['apply', file])).toBe('nothing to do: the cluster is as the topology says\n')
  expect(await xc.good(['verify'])).toMatch(/^as planned/)
  return lines.map(line => line.replace(/ {2,}/g, '  '))
}

beforeAll(async () => {
  census = await takeCensus({ directories: [xc.runtime] })
  write(`nodes: 1\nrouters: 1\n${settings}`)
  await xc.good(['start', '--topology', file])
})

afterAll(async () => {
  await xc.run(['stop'])
  await census.expectUnchanged()
})

test('xc apply --dry-run prints what differs, and changes nothing', async () => {
  write(`nodes: 2\nrouters: 1\n${settings}`)
  const said = '+ vm-002  node  112 MiB, 1 processor, nets 0,1\n1 change; 1 node added\n'
  expect(await xc.good(['apply', file, '--dry-run'])).toBe(said)
  const json = JSON.parse(await xc.good(['apply', file, '--dry-run', '--json']))
  expect(json).toMatchObject({ v: 1, applied: false, changes: [{ how: 'add', of: 'vm-002' }] })
  expect(differences('xc apply', json)).toEqual([])
  expect(await names()).toEqual(['vm-001', 'vm-201'])
})

test('xc apply adds a node, changes a route and an impairment, and removes a node', async () => {
  expect(await applied()).toEqual([
    '+ vm-002  node  112 MiB, 1 processor, nets 0,1',
    '1 change; 1 node added',
  ])
  write(`nodes: 2\nrouters: 1\n${settings}${setup}links: { 1: { 1: { delayMs: 20 } } }\n`)
  const hop = 'via 192.168.1.201 over eth1'
  expect(await applied()).toEqual([
    `~ vm-001  route default  ${hop} → none`,
    `~ vm-001  route 192.168.2.0/24  none → ${hop}`,
    '~ vm-001  impairment of eth1  none → delay 20 ms',
    `~ vm-002  route default  ${hop} → none`,
    `~ vm-002  route 192.168.2.0/24  none → ${hop}`,
    '5 changes',
  ])
  expect(await xc.good(['link'])).toContain('delay 20 ms')
  await xc.good(['link', '2', 'eth1', '--loss', '0.1'])
  write(`nodes: 1\nrouters: 1\n${settings}${setup}links: { 1: { 1: { delayMs: 30, loss: 0.01 } } }\n`)
  expect(await applied()).toEqual([
    '~ vm-001  impairment of eth1  delay 20 ms → delay 30 ms, loss 1 %',
    '- vm-002  node',
    '2 changes; 1 node removed',
  ])
  expect(await names()).toEqual(['vm-001', 'vm-201'])
})

test('xc apply starts a node anew that gets more memory, and removes impairments that the file lacks', async () => {
  write(`nodes: 1\nrouters: 1\nsettings: { mem: 112, smp: 1, mem1: 128 }\n${setup}`)
  expect(await applied()).toEqual([
    '~ vm-001  memory  112 MiB → 128 MiB (started anew)',
    '~ vm-001  impairment of eth1  delay 30 ms, loss 1 % → none',
    '2 changes; 1 node started anew',
  ])
  expect(await xc.good(['link'])).toBe('no link is impaired\n')
})

test('what cannot be applied is refused in a sentence, with the place in the file, and nothing changes', async () => {
  const before = await xc.good(['status', '--json'])
  for (const [text, words] of [
    ['nope: 1\n', /lab\.yaml:3:7 \(nope\): there is no such key/],
    ['settings: { fabric: user }\n', /setting fabric cannot change while the cluster runs/],
    ['links: { 1: { 5: { loss: 1 } } }\n', /lab\.yaml:3:18 \(links\.1\.5\): none of these nodes is on net 5/],
  ] as const) {
    write(text)
    const refused = await xc.run(['apply', file])
    expect(refused).toMatchObject({ status: 2, stdout: '', stderr: oneSentence })
    expect(refused.stderr).toMatch(words)
  }
  expect(await xc.run(['apply', 'no-such'])).toMatchObject({ status: 2, stdout: '' })
  expect(await xc.run(['apply', file, '--name', 'other'])).toMatchObject({ stdout: '' })
  expect(await xc.good(['status', '--json'])).toBe(before)
})
