import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'
import { expect } from 'vitest'
import { type Verb, type VerbName, verbs } from '../../../src/api/index.ts'
import { version, versionHeader } from '../../../src/base/index.ts'
import type { Status } from '../../../src/client/index.ts'
import * as schemas from '../../../src/owner/http/schemas.ts'
import { topologyOf } from '../../../src/plan/index.ts'
import type { Scenario } from '../../support/fake-owner.ts'
import { test } from '../../support/leaks.ts'
import { type OwnerProcess, startOwner } from '../../support/owner-process.ts'

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
}

/** Sends a request to the owner's API. `what` is a method and a path. */
function ask(owner: OwnerProcess, what: string, body?: string): Promise<Answer> {
  const [method, path] = what.split(' ') as [string, string]
  const headers = body === undefined ? {} : { 'content-type': 'application/json' }
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath: owner.at.socket, method, path, headers, agent: false }, answer => {
      answer.setEncoding('utf8')
      let text = ''
      answer.on('data', piece => {
        text += piece
      })
      answer.on('end', () => resolve({ status: answer.statusCode!, headers: answer.headers, body: text }))
    })
    asked.on('error', reject)
    asked.end(body)
  })
}

async function running(scenario: Scenario = {}): Promise<OwnerProcess> {
  const clone = scenario.vms ? 'off' : 'always'
  const owner = await startOwner({ options: { nvm: 2, nrouters: 0, clone }, scenario })
  await owner.until('ready')
  owner.launch.keep()
  await owner.ended()
  return owner
}

async function stopped(owner: OwnerProcess): Promise<void> {
  await owner.client.stop()
}

test('every response of the API has the version header, and matches its schema', async () => {
  await using owner = await running()
  const status = await ask(owner, 'GET /v1/status')
  expect(status.headers[versionHeader]).toBe(version)
  expect(schemas.status.parse(JSON.parse(status.body))).toEqual(JSON.parse(status.body))
  const check = await ask(owner, 'POST /v1/check')
  expect(schemas.reachReport.parse(JSON.parse(check.body))).toMatchObject({ ok: true })
  const missing = await ask(owner, 'GET /v2/status')
  expect(missing.status).toBe(404)
  expect(missing.headers[versionHeader]).toBe(version)
  expect(schemas.failure.parse(JSON.parse(missing.body)).error).toMatchObject({ code: 'ROUTE_MISSING' })
  const exec = await ask(owner, 'POST /v1/nodes/1/exec', '{"argv":["echo","hi"]}')
  expect(schemas.execAnswer.parse(JSON.parse(exec.body))).toMatchObject({ v: 1, status: 0 })
  await stopped(owner)
})

test('the OpenAPI document lists every route of the API, with its schemas', async () => {
  await using owner = await running()
  const { body } = await ask(owner, 'GET /v1/openapi.json')
  const document = JSON.parse(body) as { openapi: string; paths: Record<string, object> }
  expect(document.openapi).toBe('3.1.0')
  const paths = Object.values(verbs).map(({ path }) => path.replace(':id', '{id}'))
  expect(Object.keys(document.paths).sort()).toEqual(paths.sort())
  expect(paths).toEqual(expect.arrayContaining(['/v1/status', '/v1/nodes/{id}/console', '/v1/scaleout']))
  expect(body).toContain('"enum":["vm","router","tester"]')
  await stopped(owner)
})

test('the API says what differs from a topology, applies it, and refuses what is none', async () => {
  await using owner = await running()
  const { client } = owner
  const topology = { ...topologyOf('xnet'), name: 'lab', routers: { usual: 1 }, settings: { nvm: 3 } }
  const { changes, applied } = await client.apply({ topology, dryRun: true })
  expect(applied).toBe(false)
  expect(changes).toContainEqual(expect.objectContaining({ how: 'add', of: 'vm-003', what: 'node' }))
  expect((await client.status()).nodes).toHaveLength(2)
  const body = JSON.stringify({ topology })
  const answer = JSON.parse((await ask(owner, 'POST /v1/apply', body)).body)
  expect(answer).toEqual({ v: 1, applied: true, changes })
  expect((await client.status()).nodes).toHaveLength(4)
  expect(await client.apply({ topology })).toEqual({ v: 1, applied: false, changes: [] })
  for (const bad of [{}, { ...topology, nets: 5 }, { ...topology, settings: { mem: 'much' } }])
    expect((await ask(owner, 'POST /v1/apply', JSON.stringify({ topology: bad }))).status).toBe(400)
  expect((await ask(owner, 'POST /v1/apply', '{"topology":5}')).status).toBe(400)
  await stopped(owner)
})

test('the API pauses, resumes, resets, adds and removes nodes, by number or name, or all of them', async () => {
  await using owner = await running()
  const { client } = owner
  const states = ({ nodes }: Status) => nodes.map(({ name, state }) => `${name} ${state}`).join(', ')
  expect(states(await client.pause({ nodes: ['vm-001'] }))).toBe('vm-001 paused, vm-002 ready')
  const body = '{"nodes":[2,"1"]}'
  expect(schemas.status.parse(JSON.parse((await ask(owner, 'POST /v1/pause', body)).body))).toBeTruthy()
  expect(states(await client.status())).toBe('vm-001 paused, vm-002 paused')
  expect((await ask(owner, 'POST /v1/resume')).status).toBe(200)
  expect(states(await client.reset({ nodes: ['1'] }))).toBe('vm-001 ready, vm-002 ready')
  expect(states(await client.scaleout({ nodes: ['vm-003'] }))).toBe(
    'vm-001 ready, vm-002 ready, vm-003 ready',
  )
  expect((await client.exec('3', { argv: ['cat'] })).status).toBe(0)
  expect(states(await client.scalein({ nodes: ['3'] }))).toBe('vm-001 ready, vm-002 ready')
  await expect(client.exec('3', { argv: ['cat'] })).rejects.toMatchObject({ code: 'NODE_MISSING' })
  await stopped(owner)
})

test('a change with wait: false is answered when it begins, and its failure is an event', async () => {
  await using owner = await running({ vms: { 'vm-002': [{}, { panics: true }] } })
  const { client } = owner
  const events = await client.events()
  expect((await client.reset({ nodes: ['2'], wait: false })).nodes[1]).toMatchObject({ state: 'starting' })
  for await (const event of events) {
    expect(schemas.clusterEvent.parse(event)).toEqual(event)
    if (event.type !== 'notice') continue
    expect(event).toMatchObject({ text: expect.stringContaining('Kernel panic') })
    break
  }
  await expect(client.reset({ nodes: ['2'] })).rejects.toMatchObject({ code: 'GUEST_PANIC' })
  await stopped(owner)
})

test("bad requests are refused as the caller's error, in one sentence", async () => {
  await using owner = await running()
  const refused = async (path: string, body: string) => {
    const answer = await ask(owner, `POST ${path}`, body)
    const { error } = JSON.parse(answer.body) as { error: { code: string; message: string } }
    const described: Verb = verbs[path.split('/').at(-1) as VerbName]
    expect(['BAD_REQUEST', ...described.errors]).toContain(error.code)
    return { status: answer.status, error }
  }
  expect(await refused('/v1/nodes/1/exec', '{"argv":[]}')).toMatchObject({
    status: 400,
    error: { code: 'BAD_REQUEST', kind: 'usage', message: expect.stringContaining('argv') },
  })
  expect(await refused('/v1/nodes/1/exec', '{"argv":["a"],"inptu":""}')).toMatchObject({ status: 400 })
  expect(await refused('/v1/nodes/1/exec', '{broken')).toMatchObject({
    status: 400,
    error: { code: 'BAD_REQUEST' },
  })
  for (const body of ['{}', '{"nodes":[]}', '{"nodes":[1.5]}', '{"nodes":[1],"graceMs":1}'])
    expect(await refused('/v1/scalein', body), body).toMatchObject({ error: { code: 'BAD_REQUEST' } })
  expect(await refused('/v1/pause', '{"nodes":[1,9]}')).toMatchObject({ error: { code: 'NODE_MISSING' } })
  expect(await refused('/v1/scaleout', '{"nodes":["vm-7"]}')).toMatchObject({
    status: 400,
    error: { code: 'NODE_NUMBER', reason: "'vm-7' is not a node number" },
  })
  expect(await refused('/v1/nodes/7/exec', '{"argv":["a"]}')).toMatchObject({
    status: 404,
    error: { code: 'NODE_MISSING', kind: 'missing', remedy: 'Its nodes are 1, 2' },
  })
  await stopped(owner)
})

test('exec over the API passes input to a program, and returns both outputs and the status', async () => {
  await using owner = await running()
  const { client } = owner
  const input = Buffer.from([0, 255, 10, 13])
  const cat = await client.exec('vm-001', { argv: ['cat'], input })
  expect(cat).toMatchObject({ status: 0 })
  expect(Buffer.from(cat.stdout)).toEqual(input)
  expect(Buffer.from(cat.stderr).toString()).toBe('cat was run\n')
  expect((await client.exec('2', { argv: ['exit', '42'] })).status).toBe(42)
  await stopped(owner)
})

test('a console over the API takes input and shows output, which is also in its log', async () => {
  await using owner = await running()
  const { client } = owner
  const { socket: console, writes } = await client.console('1')
  expect(writes).toBe(true)
  console.write('hello')
  let seen = ''
  for await (const bytes of console) {
    seen += String(bytes)
    if (seen.includes('HELLO')) break
  }
  expect(seen).toBe('vm-001 says helloHELLO')
  let log = ''
  for await (const bytes of client.log('1')) log += Buffer.from(bytes).toString()
  expect(log).toBe('vm-001 says hello\nHELLO')
  await expect(client.console('9')).rejects.toMatchObject({ code: 'NODE_MISSING', kind: 'missing' })
  await stopped(owner)
})

/** What this console shows until `last` has come. */
async function shownOn(console: AsyncIterable<unknown>, last: string): Promise<string> {
  let seen = ''
  for await (const bytes of console) {
    seen += String(bytes)
    if (seen.includes(last)) return seen
  }
  return seen
}

test('one terminal types on a console, others view it, and one of them can take over', async () => {
  await using owner = await running()
  const { client } = owner
  const first = await client.console('1')
  const viewer = await client.console('vm-001')
  const asked = await client.console('2', { view: true })
  expect([first.writes, viewer.writes, asked.writes]).toEqual([true, false, false])
  viewer.socket.write('not heard ')
  first.socket.write('one')
  expect(await shownOn(viewer.socket, 'ONE')).toBe('vm-001 says helloONE')
  const taker = await client.console('1', { take: true })
  expect(taker.writes).toBe(true)
  expect(await shownOn(first.socket, 'leaves.')).toContain('another terminal types here now')
  taker.socket.write('two')
  expect((await shownOn(taker.socket, 'TWO')).includes('NOT HEARD')).toBe(false)
  for (const { socket } of [first, viewer, asked, taker]) socket.destroy()
  await stopped(owner)
})

test('a console that its writer has left can be typed on by the next', async () => {
  await using owner = await running()
  const { client } = owner
  const first = await client.console('1')
  first.socket.destroy()
  const isFree = async () => {
    const { socket, writes } = await client.console('1')
    socket.destroy()
    return writes
  }
  const free = async (): Promise<boolean> => (await isFree()) || (await free())
  expect(await free()).toBe(true)
  await stopped(owner)
})

test('a followed log continues until the cluster ends', async () => {
  await using owner = await running()
  const { client } = owner
  const { socket: console } = await client.console('1')
  let log = ''
  for await (const bytes of client.log('1', { follow: true })) {
    const first = log === ''
    log += Buffer.from(bytes).toString()
    if (first) console.write('more')
    if (log.endsWith('MORE')) await client.stop()
  }
  console.destroy()
  expect(log).toBe('vm-001 says hello\nMORE')
})

test('events over the API arrive as they happen, and end with the cluster', async () => {
  await using owner = await running()
  const { client } = owner
  const events: unknown[] = []
  const heard = await client.events()
  const stopping = client.stop()
  for await (const event of heard) events.push(event)
  await stopping
  expect(events[0]).toEqual({ type: 'cluster', state: 'stopping' })
  const ends = [1, 2].map(id => ({
    type: 'node',
    id,
    name: `vm-00${id}`,
    state: 'stopped',
    ms: expect.any(Number),
  }))
  expect(events).toEqual(expect.arrayContaining(ends))
})

test('a client that drops a refused upgrade does not end the owner', async () => {
  await using owner = await running()
  for (const path of ['/v1/status', '/v1/nodes/99/console', '/v1/nodes/1/console']) {
    const head = `GET ${path} HTTP/1.1\r\nHost: x\r\nUpgrade: xcluster-console\r\nConnection: Upgrade\r\n\r\n`
    const socket = connect(owner.at.socket).pause()
    await once(socket, 'connect')
    socket.write(head)
    await ask(owner, 'GET /v1/status') // by then it has answered
    socket.destroy() // with the answer unread
    expect((await ask(owner, 'GET /v1/status')).status).toBe(200)
  }
  expect(owner.isAlive()).toBe(true)
  await stopped(owner)
})

test('a cluster that was not started for it is not frozen, and goes on', async () => {
  await using plain = await running()
  await expect(plain.client.freeze({ snapshot: 'warm' })).rejects.toMatchObject({
    code: 'CLUSTER_NOT_FREEZABLE',
  })
  expect((await plain.client.status()).state).toBe('ready')
  await stopped(plain)
})
