import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Places, version, versionHeader } from '../../../src/base/index.ts'
import { answers, clusterNames, OwnerClient } from '../../../src/client/index.ts'

let places: Places
let server: Server | undefined

beforeEach(() => {
  const root = mkdtempSync(join(tmpdir(), 'xc-'))
  places = { runtime: root, state: `${root}/state`, cache: `${root}/cache` }
  mkdirSync(join(root, 'default'))
})

afterEach(async () => {
  server?.closeAllConnections()
  if (server) await new Promise(resolve => server?.close(resolve))
  server = undefined
  rmSync(places.runtime, { recursive: true, force: true })
})

/** A fake owner that gives the same answer to every request. */
async function owner(answer: (response: ServerResponse) => void): Promise<OwnerClient> {
  server = createServer((_, response) => answer(response))
  await new Promise<void>(resolve => server?.listen(join(places.runtime, 'default/owner.sock'), resolve))
  return new OwnerClient(places, 'default', { timeoutMs: 250 })
}

const good = { [versionHeader]: version }

test('errors of the owner reach the caller of the client with all their fields', async () => {
  const error = {
    code: 'NODE_MISSING',
    kind: 'missing',
    message: 'x',
    reason: 'no such node',
    remedy: 'Take another',
  }
  const client = await owner(response => response.writeHead(404, good).end(JSON.stringify({ v: 1, error })))
  await expect(client.status()).rejects.toMatchObject({
    code: 'NODE_MISSING',
    kind: 'missing',
    reason: 'no such node',
    remedy: 'Take another',
    message: 'no such node. Take another.',
  })
})

test.each(['9.9.9', undefined])('a client refuses an owner of version %s, but can stop it', async other => {
  const headers = other === undefined ? {} : { [versionHeader]: other }
  const client = await owner(response =>
    response.writeHead(200, headers).end('{"v":1,"owner":{"pid":4194305}}'),
  )
  await expect(client.status()).rejects.toMatchObject({
    code: 'OWNER_VERSION',
    reason: `it was started by xcluster ${other ?? 'unknown'}, this is ${version}`,
  })
  await client.stop()
})

test('a missing socket, or a file in its place, is reported as a missing cluster', async () => {
  const client = new OwnerClient(places, 'default')
  await expect(client.status()).rejects.toMatchObject({ code: 'CLUSTER_MISSING', kind: 'missing' })
  writeFileSync(join(places.runtime, 'default/owner.sock'), '')
  await expect(client.status()).rejects.toMatchObject({ code: 'CLUSTER_MISSING' })
  expect(await answers(places, 'default')).toBe(false)
})

test('an owner that dies before or within its answer is reported as gone', async () => {
  const client = await owner(response => response.destroy())
  await expect(client.status()).rejects.toMatchObject({ code: 'OWNER_GONE' })
  const half = new OwnerClient(places, 'default')
  server?.removeAllListeners('request')
  server?.on('request', (_, response) => {
    response.writeHead(200, good)
    response.write('{"v"')
    setImmediate(() => response.destroy())
  })
  await expect(half.status()).rejects.toMatchObject({ code: 'OWNER_GONE' })
})

test('an owner that does not answer in time is reported as a timeout', async () => {
  const client = await owner(() => {})
  await expect(client.status()).rejects.toMatchObject({ code: 'OWNER_TIMEOUT', target: 'default' })
})

test('the time limit of a client is for the whole answer, however slowly it comes', async () => {
  const client = await owner(response => {
    response.writeHead(200, good)
    const dripping = setInterval(() => response.write(' '), 20)
    response.on('close', () => clearInterval(dripping))
  })
  await expect(client.status()).rejects.toMatchObject({
    code: 'OWNER_TIMEOUT',
    reason: 'no answer within 0.25 s',
  })
})

test('an answer that is not an error of the API is reported with its text', async () => {
  const client = await owner(response => response.writeHead(502, good).end('Bad gateway'))
  await expect(client.status()).rejects.toMatchObject({ code: 'OWNER_ANSWER', reason: 'Bad gateway' })
})

test('the names of clusters are those of directories with a valid name', async () => {
  mkdirSync(join(places.runtime, 'b'))
  mkdirSync(join(places.runtime, '.hidden'))
  writeFileSync(join(places.runtime, 'a-file'), '')
  expect(await clusterNames(places)).toEqual(['b', 'default'])
  expect(await clusterNames({ ...places, runtime: '/nowhere' })).toEqual([])
})
