import { createSocket, type RemoteInfo } from 'node:dgram'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { expect } from 'vitest'
import { UdpAsker } from '../../../src/sys/index.ts'
import { test } from '../../support/leaks.ts'
import { waitFor } from '../../support/wait.ts'

/** A server that answers each datagram with its bytes, when it is told to. */
async function openServer() {
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const asked: { bytes: Buffer; from: RemoteInfo }[] = []
  socket.on('message', (bytes, from) => asked.push({ bytes, from }))
  return {
    asked,
    socket,
    place: UdpAsker.place({ address: '127.0.0.1', port: socket.address().port }),
    answer: () => {
      for (const { bytes, from } of asked) socket.send(bytes, from.port, from.address)
    },
    [Symbol.asyncDispose]: () => new Promise<void>(resolve => socket.close(() => resolve())),
  }
}

/** The local ports of all UDP sockets for IPv4 in this namespace. */
function openUdpPorts(): number[] {
  const lines = readFileSync('/proc/self/net/udp', 'latin1').trim().split('\n').slice(1)
  return lines.map(line => Number.parseInt(/:([0-9A-F]{4}) /.exec(line)![1]!, 16))
}

/** What comes for a question. */
class Answers {
  readonly got: string[] = []
  readonly failures: unknown[] = []
  datagram(bytes: Buffer): void {
    this.got.push(bytes.toString())
  }
  failed(failure: Error): void {
    this.failures.push((failure as NodeJS.ErrnoException).code)
  }
}

test('each question leaves from a port of its own, and gets its answer', async () => {
  await using server = await openServer()
  await using asker = new UdpAsker()
  const answers = Array.from({ length: 200 }, () => new Answers())
  const numbers = answers.map((each, i) => asker.ask(server.place, Buffer.from(`question ${i}`), each))
  await waitFor(() => server.asked.length === 200)
  const ports = server.asked.map(({ from }) => from.port)
  expect(new Set(ports).size).toBe(200)
  // Chosen at random: a counter would give neighbours.
  const steps = ports.slice(1).filter((port, i) => Math.abs(port - ports[i]!) <= 2)
  expect(steps.length).toBeLessThan(20)
  server.answer()
  await waitFor(() => answers.every(({ got }) => got.length > 0))
  expect(answers.map(({ got }) => got)).toEqual(answers.map((_, i) => [`question ${i}`]))
  for (const number of numbers) asker.end(number)
})

test('a question hears the server that it was sent to, and no other', async () => {
  await using server = await openServer()
  await using other = await openServer()
  await using asker = new UdpAsker()
  const answers = new Answers()
  asker.ask(server.place, Buffer.from('true'), answers)
  await waitFor(() => server.asked.length === 1)
  other.socket.send('forged', server.asked[0]!.from.port, '127.0.0.1')
  server.answer()
  await waitFor(() => answers.got.length > 0)
  expect(answers.got).toEqual(['true'])
})

test('an answer may have as many bytes as a datagram can have, and none', async () => {
  await using server = await openServer()
  await using asker = new UdpAsker()
  for (const size of [65_507, 0]) {
    const answers = new Answers()
    asker.ask(server.place, Buffer.alloc(size, 0x61), answers)
    await waitFor(() => server.asked.length === 1)
    server.answer()
    await waitFor(() => answers.got.length > 0)
    expect(answers.got[0]).toBe('a'.repeat(size))
    server.asked.length = 0
  }
})

test('a question that is over hears nothing more, though the answer to another one ended it', async () => {
  await using server = await openServer()
  await using asker = new UdpAsker()
  const late = new Answers()
  const numbers: number[] = []
  const ending = {
    datagram() {
      for (const each of numbers) asker.end(each)
    },
    failed() {},
  }
  for (const answers of [ending, late, late]) numbers.push(asker.ask(server.place, Buffer.from('a'), answers))
  await waitFor(() => server.asked.length === 3)
  server.answer()
  const fresh = new Answers()
  // Sent from the number of one that is over.
  await waitFor(() => numbers.length === 3 && late.got.length === 0)
  asker.ask(server.place, Buffer.from('b'), fresh)
  await waitFor(() => server.asked.length === 4)
  server.asked.splice(0, 3)
  server.answer()
  await waitFor(() => fresh.got.length > 0)
  expect(fresh.got).toEqual(['b'])
})

test('a socket serves one question after another, each from another port that is closed afterwards', async () => {
  await using server = await openServer()
  await using asker = new UdpAsker()
  const numbers = new Set<number>()
  for (let i = 1; i <= 50; i++) {
    const answers = new Answers()
    const number = asker.ask(server.place, Buffer.from(`question ${i}`), answers)
    await waitFor(() => server.asked.length === i)
    server.socket.send(`answer ${i}`, server.asked.at(-1)!.from.port, '127.0.0.1')
    await waitFor(() => answers.got.length > 0)
    expect(answers.got).toEqual([`answer ${i}`])
    asker.end(number)
    numbers.add(number)
  }
  const ports = server.asked.map(({ from }) => from.port)
  expect(numbers.size).toBe(1)
  expect(new Set(ports).size).toBeGreaterThan(45)
  for (const port of ports) expect(openUdpPorts()).not.toContain(port)
})

test('the next question from a socket does not hear what came for the one before', async () => {
  await using server = await openServer()
  await using asker = new UdpAsker()
  const first = new Answers()
  const ending = {
    datagram(bytes: Buffer) {
      first.datagram(bytes)
      asker.end(number)
    },
    failed() {},
  }
  const number = asker.ask(server.place, Buffer.from('a'), ending)
  await waitFor(() => server.asked.length === 1)
  // All are in the socket's queue before the first is read: this process does not read meanwhile.
  for (let i = 0; i < 20; i++) server.socket.send(`early ${i}`, server.asked[0]!.from.port, '127.0.0.1')
  await waitFor(() => first.got.length > 0)
  const next = new Answers()
  expect(asker.ask(server.place, Buffer.from('b'), next)).toBe(number)
  await waitFor(() => server.asked.length === 2)
  server.socket.send('own', server.asked[1]!.from.port, '127.0.0.1')
  await waitFor(() => next.got.length > 0)
  expect([first.got, next.got]).toEqual([['early 0'], ['own']])
})

test('a question that the network refuses leaves no socket behind, one that was used before neither', async () => {
  await using server = await openServer()
  await using asker = new UdpAsker()
  const answers = new Answers()
  const ask = () => asker.ask(server.place, Buffer.from('a'), answers)
  asker.end(ask())
  const before = readdirSync('/proc/self/fd').length
  const broadcast = UdpAsker.place({ address: '255.255.255.255', port: 53 })
  for (let i = 0; i < 3; i++) expect(() => asker.ask(broadcast, Buffer.from('a'), answers)).toThrow(/EACCES/)
  expect(readdirSync('/proc/self/fd').length).toBe(before - 1)
  asker.end(ask())
})

test('what the machine or the network refuses is told with its code', async () => {
  const server = await openServer()
  await server[Symbol.asyncDispose]()
  await using asker = new UdpAsker()
  const answers = new Answers()
  asker.ask(server.place, Buffer.from('a'), answers)
  await waitFor(() => answers.failures.length > 0)
  expect(answers.failures[0]).toBe('ECONNREFUSED')
  const broadcast = UdpAsker.place({ address: '255.255.255.255', port: 53 })
  expect(() => asker.ask(broadcast, Buffer.from('a'), answers)).toThrow(
    expect.objectContaining({ code: 'EACCES' }),
  )
})

test('IPv6 servers are asked too, and closing ends all questions', async () => {
  const socket = createSocket('udp6').bind(0, '::1')
  await once(socket, 'listening')
  const asker = new UdpAsker()
  const place = UdpAsker.place({ address: '::1', port: socket.address().port })
  const asked = once(socket, 'message')
  asker.ask(place, Buffer.from('six'), new Answers())
  expect(String((await asked)[0])).toBe('six')
  await asker.close()
  expect(() => asker.ask(place, Buffer.from('a'), new Answers())).toThrow(/closed/)
  await new Promise<void>(resolve => socket.close(() => resolve()))
})
