import { copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { places } from '../../../src/base/index.ts'
import { OwnerClient, type Status } from '../../../src/client/index.ts'
import { clusterEvent } from '../../../src/owner/http/schemas.ts'
import { differences } from '../../support/json-doc.ts'
import { type Census, takeCensus } from '../../support/leaks.ts'
import { oneSentence, Xc } from '../../support/xc.ts'

// One cluster of clones, from an empty cache of templates. Nodes are added, paused, reset and removed. The tests depend
// on each other, in this order.
const xc = new Xc()
const cache = `${xc.root}/cache/xcluster`
const exported = `${xc.root}/templates`
let census: Census

beforeAll(async () => {
  const real = places(process.env, 0).cache
  mkdirSync(cache, { recursive: true })
  for (const name of ['fetched', 'images']) symlinkSync(`${real}/${name}`, `${cache}/${name}`)
  if (existsSync(`${real}/accelerator.json`))
    copyFileSync(`${real}/accelerator.json`, `${cache}/accelerator.json`)
  xc.env.XDG_CACHE_HOME = `${xc.root}/cache`
  census = await takeCensus({ directories: [xc.runtime] })
})

afterAll(async () => {
  await xc.run(['stop'])
  await census.expectUnchanged()
})

const start = ['start', '--nvm', '1', '--nrouters', '0']
const statusNow = async (): Promise<Status> => JSON.parse(await xc.good(['status', '--json']))
const statesOf = ({ nodes }: Status) => nodes.map(({ id, state }) => `${id} ${state}`).join(', ')
const templates = async (): Promise<{ key: string; bytes: number }[]> =>
  JSON.parse(await xc.good(['cache', 'list', '--json'])).templates

test('the first xc start makes the template, and explains once why', async () => {
  expect(await xc.run(['cache', 'list'])).toMatchObject({ status: 0, stdout: '' })
  const { status, stderr } = await xc.run(start)
  expect(status).toBe(0)
  expect(stderr.match(/saved; nodes are clones of it/g)).toHaveLength(1)
  expect(stderr).toContain('template: with 2 NICs: booting it')
  expect(stderr).toContain('npx xc exec 1 -- ip -br addr')
})

test('the milestones of a clone are in order, without those of a boot', async () => {
  const status = await statusNow()
  expect(differences('xc status', status)).toEqual([])
  const { milestones } = status.nodes[0]!
  expect(Object.keys(milestones)).toEqual(['spawned', 'qmp', 'agent', 'identity', 'ready'])
  const times = Object.values(milestones)
  expect(times).toEqual(times.toSorted((a, b) => a - b))
})

test('xc cache list, export and clear work, and print JSON as docs/json.md documents it', async () => {
  expect(await xc.good(['cache', 'list'])).toMatch(
    /^KEY .*\n[0-9a-f]{12} {2}128 MiB, 2 NICs .*\n\d+ MiB in total\n$/,
  )
  expect(differences('xc cache list', JSON.parse(await xc.good(['cache', 'list', '--json'])))).toEqual([])
  const [{ key, bytes }] = (await templates()) as [{ key: string; bytes: number }]
  const written = JSON.parse(await xc.good(['cache', 'export', key.slice(0, 6), exported, '--json']))
  expect(differences('xc cache export', written)).toEqual([])
  const cleared = JSON.parse(await xc.good(['cache', 'clear', '--json']))
  expect(differences('xc cache clear', cleared)).toEqual([])
  expect(cleared).toEqual({ v: 1, removed: [key], freedBytes: bytes })
  expect(await templates()).toEqual([])
})

test('xc scaleout makes a clone of the open template after the cache was cleared', async () => {
  expect(await xc.run(['scaleout', '2'])).toMatchObject({ status: 0, stdout: '', stderr: 'Added: vm-002.\n' })
  const status = await statusNow()
  expect(statesOf(status)).toBe('1 ready, 2 ready')
  expect(status.nodes[1]!.milestones).not.toHaveProperty('kernel')
  expect((await xc.good(['exec', '2', '--', 'hostname'])).trim()).toBe('vm-002')
  expect(await templates()).toEqual([])
})

test('xc cache import restores a template, and refuses a damaged file', async () => {
  const imported = JSON.parse(await xc.good(['cache', 'import', exported, '--json']))
  expect(differences('xc cache import', imported)).toEqual([])
  expect((await templates()).map(({ key }) => key)).toEqual(imported.keys)
  const bytes = readFileSync(exported)
  bytes[bytes.length >> 1]! ^= 1
  writeFileSync(`${exported}-damaged`, bytes)
  const refused = await xc.run(['cache', 'import', `${exported}-damaged`])
  expect(refused).toMatchObject({ status: 1, stderr: expect.stringContaining('SHA-256') })
  expect(await templates()).toHaveLength(1)
})

test('a paused node is listed as paused, and refuses commands with the command that resumes it', async () => {
  expect(await xc.run(['pause', 'vm-002'])).toMatchObject({ status: 0, stderr: 'Paused: vm-002.\n' })
  expect(await xc.good(['status'])).toMatch(/^2 +vm-002 +vm +paused /m)
  const refused = await xc.run(['exec', '2', '--', 'true'])
  expect(refused).toMatchObject({ status: 1, stderr: expect.stringContaining('it is paused') })
  expect(refused.stderr).toContain('npx xc resume 2')
  expect(refused.stderr).toMatch(oneSentence)
  const resumed = JSON.parse(await xc.good(['resume', '--json']))
  expect(differences('xc resume', resumed)).toEqual([])
  expect(statesOf(resumed)).toBe('1 ready, 2 ready')
  expect((await xc.run(['exec', '2', '--', 'true'])).status).toBe(0)
})

test('xc reset makes a node fresh, and its milestones are events', async () => {
  await xc.good(['exec', '2', '--', 'touch', '/dirt'])
  const client = new OwnerClient(places(xc.env, 0), 'default')
  const passed: string[] = []
  const events = await client.events()
  const listening = (async () => {
    for await (const event of events) {
      const known = clusterEvent.parse(event)
      if (known.type === 'milestone' && known.id === 2) passed.push(known.milestone)
      if (passed.at(-1) === 'ready') return
    }
  })()
  expect(await xc.run(['reset', '2'])).toMatchObject({ status: 0, stderr: 'Reset: vm-002.\n' })
  await listening
  expect(passed).toEqual(['spawned', 'qmp', 'agent', 'identity', 'ready'])
  expect((await xc.run(['exec', '2', '--', 'ls', '/dirt'])).status).toBe(1)
})

test('xc reset --no-wait returns when the reset has begun', async () => {
  const begun = JSON.parse(await xc.good(['reset', '2', '--no-wait', '--json'])) as Status
  expect(begun.nodes[0]!.state).toBe('ready')
  expect(begun.nodes[1]!.state).not.toBe('stopped')
  await xc.good(['resume']) // changes are carried out one at a time: this one after the reset
  expect(statesOf(await statusNow())).toBe('1 ready, 2 ready')
})

test.each([
  { args: ['pause', '9'], status: 3, words: "no node '9'" },
  { args: ['reset', '1', 'vm-201'], status: 3, words: "no node 'vm-201'" },
  { args: ['scalein', 'x'], status: 3, words: "no node 'x'" },
  { args: ['scaleout', '2'], status: 2, words: 'already has node vm-002' },
  { args: ['scaleout', '250'], status: 2, words: "'250' is not a node number" },
  { args: ['scaleout', 'vm-3'], status: 2, words: "'vm-3' is not a node number" },
  { args: ['scaleout'], status: 2, words: 'missing required argument' },
  { args: ['scalein', '1', '2'], status: 2, words: 'Keep at least one node' },
  { args: ['pause', '--name', 'other'], status: 3, words: "no cluster 'other' is running" },
  { args: ['exec', '1', '--timeout', '0.5', '--', 'sleep', '9'], status: 1, words: 'not ended within 0.5 s' },
  { args: ['exec', '1', '--', 'nosuch'], status: 127, words: 'No such file or directory' },
  { args: ['exec', '1', '--', '/etc/hosts'], status: 126, words: 'Permission denied' },
  { args: ['cache', 'clear', 'zz'], status: 3, words: "begins with 'zz'" },
  { args: ['cache', 'export', 'file'], status: 2, words: 'KEY… FILE' },
  { args: ['cache', 'import', '/nowhere/file'], status: 2, words: 'No such file or directory' },
  { args: ['cache', 'import', '/etc/passwd'], status: 1, words: 'not an exported template' },
  { args: ['cache', 'lsit'], status: 2, words: 'Did you mean list?' },
])('xc $args is refused with one sentence and status $status', async ({ args, status, words }) => {
  const result = await xc.run(args)
  expect(result).toMatchObject({ status, stdout: '', stderr: expect.stringContaining(words) })
  expect(result.stderr).toMatch(oneSentence)
  expect(statesOf(await statusNow())).toBe('1 ready, 2 ready')
})

test('xc scalein removes a node, and xc stop the others', async () => {
  expect(await xc.run(['scalein', '2'])).toMatchObject({ status: 0, stderr: 'Removed: vm-002.\n' })
  expect(statesOf(await statusNow())).toBe('1 ready')
  expect((await xc.run(['exec', '2', '--', 'true'])).status).toBe(3)
  await xc.good(['stop'])
  await census.expectUnchanged()
})

test('a second xc start uses the cached template, and --no-clone boots', async () => {
  expect((await xc.run(start)).stderr).not.toContain('template:')
  await xc.good(['stop'])
  const booted = JSON.parse(await xc.good([...start, '--no-clone', '--json'])) as Status
  expect(booted.nodes[0]!.milestones).toHaveProperty('kernel')
  await xc.good(['stop'])
  await census.expectUnchanged()
})
