import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Status } from '../../../src/api/index.ts'
import { version, versionHeader } from '../../../src/base/index.ts'
import { OwnerClient } from '../../../src/client/index.ts'
import { collect } from '../../support/collect.ts'

let root: string
let server: Server
let client: OwnerClient
const heard: string[] = []

/** A fake owner that records requests. Its answer to all of them fits `stop` and `exec`. */
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'xc-'))
  mkdirSync(join(root, 'default'))
  heard.length = 0
  server = createServer(async (request, response) => {
    const { method, url, headers } = request
    heard.push([method, url, headers['content-type'], await text(request)].filter(Boolean).join(' '))
    const nothing = { status: 0, stdout: 'aGk=', stderr: '' }
    response.writeHead(200, { [versionHeader]: version })
    response.end(JSON.stringify({ v: 1, owner: { pid: 4_194_305 }, ...nothing }))
  })
  await new Promise<void>(resolve => server.listen(join(root, 'default/owner.sock'), resolve))
  client = new OwnerClient({ runtime: root, state: root, cache: root }, 'default')
})

afterEach(async () => {
  server.closeAllConnections()
  await new Promise(resolve => server.close(resolve))
  rmSync(root, { recursive: true })
})

const json = 'application/json'

test.each([
  ['status()', () => client.status(), 'GET /v1/status'],
  ['check()', () => client.check(), 'POST /v1/check'],
  ['stop()', () => client.stop(), 'POST /v1/stop'],
  ['pause() of all nodes', () => client.pause(), `POST /v1/pause ${json} {}`],
  ['resume()', () => client.resume({ nodes: ['1', 2] }), `POST /v1/resume ${json} {"nodes":["1",2]}`],
  ['reset()', () => client.reset({ wait: false }), `POST /v1/reset ${json} {"wait":false}`],
  ['scaleout()', () => client.scaleout({ nodes: [5] }), `POST /v1/scaleout ${json} {"nodes":[5]}`],
  ['scalein()', () => client.scalein({ nodes: [5] }), `POST /v1/scalein ${json} {"nodes":[5]}`],
  [
    'exec()',
    () => client.exec('a/b', { argv: ['ls'], input: Buffer.from('hi') }),
    `POST /v1/nodes/a%2Fb/exec ${json} {"argv":["ls"],"input":"aGk="}`,
  ],
  ['log()', () => collect(client.log('1')), 'GET /v1/nodes/1/log'],
  ['log() that follows', () => collect(client.log('1', { follow: true })), 'GET /v1/nodes/1/log?follow=1'],
  ['events()', () => client.events(), 'GET /v1/events'],
])('the call %s sends one request', async (_, ask, request) => {
  await ask()
  expect(heard).toEqual([request])
})

test('exec() gives the outputs of a command as bytes', async () => {
  const { stdout } = await client.exec('1', { argv: ['echo', 'hi'] })
  expect(Buffer.from(stdout).toString()).toBe('hi')
})

test('parameters and answers of the calls have the types of the table of verbs', async () => {
  const status: Status = await client.pause({ nodes: [1] })
  expect(status.v).toBe(1)
  // @ts-expect-error the nodes to add are required
  await client.scaleout()
  // @ts-expect-error pause has no flag `wait`
  await client.pause({ wait: false })
  // @ts-expect-error check has no parameters
  await client.check({ nodes: [1] })
  // @ts-expect-error a status has no pairs
  expect(status.pairs).toBeUndefined()
})
