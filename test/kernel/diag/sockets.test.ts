import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect } from 'vitest'
import { type InetSocket, openSockets } from '../../../src/diag/index.ts'
import { openRoute } from '../../../src/rtnl/index.ts'
import { NetNamespace } from '../../../src/sys/index.ts'
import { test } from '../../support/leaks.ts'
import { inNamespace } from '../../support/namespace.ts'

/** A listener, a connection to it and a UDP socket, each over IPv4 and IPv6, and unix sockets. */
const program = `
const net = require('net'), dgram = require('dgram')
const listen = (host, port) => new Promise(done => { const server = net.createServer(socket => socket.on('error', () => {})); server.listen(port, host, () => done(server)) })
const join = (host, port) => new Promise(done => { const socket = net.connect(port, host, () => done(socket)); socket.on('error', ({ code }) => console.log(code)) })
const bind = (type, host) => new Promise(done => { const socket = dgram.createSocket(type); socket.bind(5300, host, () => done(socket)) })
;(async () => {
  await listen('127.0.0.1', 7000); await listen('::1', 7006); await new Promise(done => net.createServer(() => {}).listen({ path: '\\0xcluster-test' }, done))
  await join('127.0.0.1', 7000); await join('::1', 7006)
  await bind('udp4', '127.0.0.1'); await bind('udp6', '::1')
  console.log('ready')
})()`

async function started(namespace: NetNamespace) {
  await using route = openRoute({ namespace })
  await route.links.change({ name: 'lo', up: true })
  const args = [`--net=${namespace.path}`, process.execPath, '-e', program]
  const child = spawn('nsenter', args, { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  return {
    child,
    async [Symbol.asyncDispose]() {
      child.kill()
      await once(child, 'close')
    },
  }
}

const states: Record<string, string> = { listen: 'LISTEN', established: 'ESTAB', closed: 'UNCONN' }
const place = ({ address, port }: InetSocket['local']) =>
  `${address.includes(':') ? `[${address}]` : address}:${port === 0 ? '*' : port}`

test('sockets are listed as ss lists them, with inode, user and queues', async () => {
  await using namespace = NetNamespace.create()
  await using _ = await started(namespace)
  await using sockets = openSockets({ namespace })
  const { stdout } = await inNamespace(namespace, ['ss', '-tuaneH'])
  const theirs = stdout
    .trim()
    .split('\n')
    .map(line => {
      const [netid, state, receive, send, local, remote, ...rest] = line.split(/\s+/)
      return [netid, state, receive, send, local, remote, /ino:(\d+)/.exec(rest.join(' '))?.[1]].join(' ')
    })
  const ours = await sockets.list()
  const shown = ours.map(one => {
    const { protocol, state, receiveQueue, sendQueue, local, remote, inode } = one
    return [protocol, states[state], receiveQueue, sendQueue, place(local), place(remote), inode].join(' ')
  })
  expect(shown.sort()).toEqual(theirs.sort())
  expect(shown).toHaveLength(8)
  expect(ours.every(({ user }) => user === process.getuid?.())).toBe(true)
  const [connection] = await sockets.list({ protocol: 'tcp', family: 4, states: ['established'] })
  expect(connection).toMatchObject({
    state: 'established',
    congestionControl: expect.any(String),
    mss: expect.any(Number),
  })
  const details = (await inNamespace(namespace, ['ss', '-tniH4'])).stdout
  expect(details).toContain(`pmtu:${connection?.pathMtu}`)
  expect((await sockets.list({ states: ['listen'] })).map(({ local }) => local.port).sort()).toEqual([
    7000, 7006,
  ])
})

test('unix sockets are listed with their names, as ss lists them', async () => {
  await using namespace = NetNamespace.create()
  await using _ = await started(namespace)
  await using sockets = openSockets({ namespace })
  const { stdout } = await inNamespace(namespace, ['ss', '-xaH'])
  const found = await sockets.listUnix()
  expect(found).toHaveLength(stdout.trim().split('\n').length)
  const [named] = found.filter(({ name }) => name?.startsWith('@xcluster-test'))
  expect(named).toMatchObject({ type: 'stream', state: 'listen' })
  expect(stdout).toContain(`${named?.name} ${named?.inode}`)
})

test('a destroyed connection is gone, and its program is told', async () => {
  await using namespace = NetNamespace.create()
  await using running = await started(namespace)
  await using sockets = openSockets({ namespace })
  const established = await sockets.list({ protocol: 'tcp', family: 4, states: ['established'] })
  const [mine] = established.filter(({ remote }) => remote.port === 7000)
  const told = once(running.child.stdout, 'data')
  await sockets.destroy(mine!)
  expect(String((await told)[0]).trim()).toBe('ECONNABORTED')
  expect(await sockets.list({ protocol: 'tcp', family: 4, states: ['established'] })).toEqual([])
  await expect(sockets.destroy(mine!)).rejects.toMatchObject({ code: 'NETLINK_NOT_FOUND' })
})
