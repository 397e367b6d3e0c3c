import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect } from 'vitest'
import { defer } from '../../../src/base/index.ts'
import { type Answering, Listener } from '../../../src/owner/http/listener.ts'
import { test } from '../../support/leaks.ts'

const socket = () => join(mkdtempSync(join(tmpdir(), 'listener-')), 'socket')

/** Answers every request with its path, and an upgrade with what it was sent. */
const echo: Answering = {
  request: ({ url }, response) => void response.setHeader('connection', 'close').end(url),
  upgrade: (_, peer) => void peer.on('data', piece => peer.end(`upgraded: ${piece}`)),
  close: () => Promise.resolve(),
}

async function get(path: string, socketPath: string): Promise<string> {
  const asked = request({ socketPath, path, agent: false })
  const answered = once(asked, 'response') as Promise<[IncomingMessage]>
  asked.end()
  const [answer] = await answered
  return await text(answer)
}

test('those who ask before what answers is loaded are answered when it is; it is loaded once, and not before', async () => {
  const at = socket()
  const answering = defer<Answering>()
  const asked = defer()
  let loads = 0
  const load = () => {
    loads++
    asked.resolve()
    return answering.promise
  }
  const listener = await Listener.open({ socket: at, load, log: () => {} })
  expect(loads).toBe(0)
  const answers = Promise.all([get('/a', at), get('/b', at)])
  await asked.promise
  answering.resolve(echo)
  expect(await answers).toEqual(['/a', '/b'])
  listener.load()
  expect(loads).toBe(1)
  await listener.close()
})

test('what follows an upgrade at once is not lost while what answers is loaded', async () => {
  const at = socket()
  const answering = defer<Answering>()
  const asked = defer()
  const load = () => {
    asked.resolve()
    return answering.promise
  }
  const listener = await Listener.open({ socket: at, load, log: () => {} })
  const peer = connect(at)
  peer.write('GET /console HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: raw\r\n\r\n')
  await asked.promise
  peer.write('early')
  answering.resolve(echo)
  expect(await text(peer)).toBe('upgraded: early')
  await listener.close()
})

test('when what answers does not load, those who ask are hung up on and the log says why', async () => {
  const at = socket()
  const said: string[] = []
  const load = () => Promise.reject(new Error('fastify is not installed'))
  const listener = await Listener.open({ socket: at, load, log: line => said.push(line) })
  await expect(get('/a', at)).rejects.toMatchObject({ code: 'ECONNRESET' })
  expect(said).toEqual(['the API does not load: fastify is not installed'])
  await listener.close()
})

test('a closed listener has ended the connections on which nothing was asked, and refuses new ones', async () => {
  const at = socket()
  const listener = await Listener.open({ socket: at, load: () => Promise.resolve(echo), log: () => {} })
  const silent: Socket = connect(at)
  await once(silent, 'connect')
  const ended = once(silent, 'close')
  await listener.close()
  await ended
  await expect(get('/a', at)).rejects.toThrow()
})
