import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { expect } from 'vitest'
import { defer } from '../../../src/base/index.ts'
import { binding } from '../../../src/sys/binding.ts'
import { AF_NETLINK, SOCK_RAW } from '../../../src/sys/constants.ts'
import { NetlinkPort, NetNamespace, openNetlink } from '../../../src/sys/index.ts'
import { test } from '../../support/leaks.ts'
import { inNamespace } from '../../support/namespace.ts'

/** A `struct nlmsghdr` and a body of zero bytes. Full encoding is the netlink floor's task. */
function request(type: number, flags: number, body: number): Buffer {
  const message = Buffer.alloc(16 + body)
  message.writeUInt32LE(message.length, 0)
  message.writeUInt16LE(type, 4)
  message.writeUInt16LE(flags, 6)
  message.writeUInt32LE(1, 8)
  return message
}

const RTM_NEWLINK = 16
const RTM_GETLINK = 18
const NLM_F_REQUEST = 1
const NLM_F_DUMP = 0x300
const NLMSG_DONE = 3
const getLinks = request(RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, 16)

/** `ip link set lo up` or `down`: each gives an event. */
function setLoopback(port: NetlinkPort, up: boolean): void {
  const change = request(RTM_NEWLINK, NLM_F_REQUEST, 16)
  change.writeInt32LE(1, 16 + 4) // ifi_index
  change.writeUInt32LE(up ? 1 : 0, 16 + 8) // ifi_flags, IFF_UP
  change.writeUInt32LE(1, 16 + 12) // ifi_change
  port.send(change)
}

/** Makes more events than a socket's buffer holds, without returning to the event loop. */
function flood(port: NetlinkPort): void {
  for (let turn = 0; turn < 6000; turn++) setLoopback(port, turn % 2 === 0)
}

/** All messages up to and including the first of type `last`. */
function collect(port: NetlinkPort, last: number): Promise<Buffer[]> {
  const result = defer<Buffer[]>()
  const messages: Buffer[] = []
  port.receive({
    data(bytes) {
      let at = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
      while (at.length >= 16) {
        messages.push(at.subarray(0, at.readUInt32LE(0)))
        at = at.subarray((at.readUInt32LE(0) + 3) & ~3)
      }
      if (messages.at(-1)?.readUInt16LE(4) === last) result.resolve(messages)
    },
    end: failure => result.reject(failure),
  })
  return result.promise
}

test('a dump in a fresh namespace returns its loopback alone', async () => {
  await using namespace = NetNamespace.create()
  await using port = openNetlink('route', { namespace })
  const answers = collect(port, NLMSG_DONE)
  port.send(getLinks)
  const [link, done, ...more] = await answers
  expect(link!.readInt32LE(16 + 4)).toBe(1)
  expect(link!.includes('lo\0')).toBe(true)
  expect(done!.readUInt16LE(4)).toBe(NLMSG_DONE)
  expect(more).toEqual([])
})

test('the answers to a request are received before send returns, and those to one without a receiver are kept', async () => {
  await using namespace = NetNamespace.create()
  await using port = openNetlink('route', { namespace })
  const types: number[] = []
  port.receive({ data: bytes => types.push(Buffer.from(bytes).readUInt16LE(4)), end() {} })
  port.send(getLinks)
  expect(types).toEqual([RTM_NEWLINK, NLMSG_DONE])

  await using late = openNetlink('route', { namespace })
  late.send(getLinks)
  const answers = await collect(late, NLMSG_DONE)
  expect(answers.map(answer => answer.readUInt16LE(4))).toEqual([RTM_NEWLINK, NLMSG_DONE])
})

test('strict checking and extended acks are on: the kernel says what is wrong with a request', async () => {
  await using namespace = NetNamespace.create()
  await using port = openNetlink('route', { namespace })
  const answers = collect(port, NLMSG_DONE)
  const bad = Buffer.from(getLinks)
  bad.writeUInt32LE(0xff, 16 + 8) // ifi_flags, which a dump must leave zero
  port.send(bad)
  const [error] = await answers
  expect(error!.readInt32LE(16)).toBeLessThan(0)
  expect(error!.toString('latin1')).toContain('Invalid values in header for link dump request')
})

test('a netfilter socket opens in a namespace too', async () => {
  await using namespace = NetNamespace.create()
  await using port = openNetlink('netfilter', { namespace, groups: [7] })
  expect(() => port.send(request(0x0a10, NLM_F_REQUEST, 4))).not.toThrow()
})

test('events that are not read in time end in an overrun, and the port continues', async () => {
  await using namespace = NetNamespace.create()
  await using events = openNetlink('route', { namespace, groups: [1] })
  await using requests = openNetlink('route', { namespace })
  flood(requests)
  const overrun = defer()
  const after = defer()
  let lost = false
  events.receive({
    data: () => (lost ? after.resolve() : undefined),
    overrun() {
      lost = true
      overrun.resolve()
    },
    end: failure => overrun.reject(failure),
  })
  await overrun.promise
  await after.promise
})

test('a receiver without overrun() is ended with NETLINK_OVERRUN', async () => {
  await using namespace = NetNamespace.create()
  await using events = openNetlink('route', { namespace, groups: [1] })
  await using requests = openNetlink('route', { namespace })
  flood(requests)
  const ended = defer<Error | undefined>()
  events.receive({ data: () => {}, end: ended.resolve })
  expect(await ended.promise).toMatchObject({ code: 'NETLINK_OVERRUN' })
})

test('a datagram larger than the receive buffer is an overrun, and fits when it is requested again', async () => {
  await using namespace = NetNamespace.create()
  const fd = binding().socketIn(namespace.fd, AF_NETLINK, SOCK_RAW, 0)
  binding().bindNetlink(fd)
  await using port = new NetlinkPort(fd, 64)
  const link = defer<Uint8Array>()
  let overruns = 0
  port.receive({
    data: bytes => (bytes[4] === RTM_NEWLINK ? link.resolve(bytes) : undefined),
    overrun: () => {
      overruns++
      port.send(getLinks)
    },
    end: failure => link.reject(failure),
  })
  port.send(getLinks)
  expect((await link.promise).length).toBeGreaterThan(64)
  expect(overruns).toBe(1)
})

test('a netlink port ignores datagrams that another process sends to its port id', async () => {
  await using namespace = NetNamespace.create()
  await using port = openNetlink('route', { namespace })
  const answers = collect(port, NLMSG_DONE)
  const { stdout } = await inNamespace(namespace, ['cat', '/proc/net/netlink'])
  const portId = stdout
    .split('\n')
    .map(line => line.split(/\s+/))
    .find(([, protocol, id]) => protocol === '0' && id !== '0')![2]!
  const forge = `import socket; s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0); s.sendto(b"\\x10\\0\\0\\0\\x03" + b"\\0" * 11, (${portId}, 0))`
  await inNamespace(namespace, ['python3', '-c', forge])
  port.send(getLinks)
  const types = (await answers).map(message => message.readUInt16LE(4))
  expect(types).toEqual([RTM_NEWLINK, NLMSG_DONE])
})

test('a closed netlink port refuses use, and can be closed twice', async () => {
  const port = openNetlink('route')
  await port.close()
  await port.close()
  expect(() => port.send(getLinks)).toThrow('netlink socket: already closed')
  expect(() => port.receive({ data() {}, end() {} })).toThrow('already closed')
})

test('a worker thread can be terminated while it has an open netlink port', async () => {
  const source = new URL('../../../src/sys/index.ts', import.meta.url)
  const worker = new Worker(new URL('./open-port.worker.ts', import.meta.url), {
    execArgv: ['--import', 'jiti/register'],
    workerData: source.href,
  })
  const [opened] = await once(worker, 'message')
  expect(opened).toBe('open')
  expect(await worker.terminate()).toBe(1)
})
