import { createSocket } from 'node:dgram'
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

/**
 * A process that sends what nobody should: `garbage.ts PORT RATE` datagrams a second that look like questions until they
 * are read, and over TCP one message after the other of 64 KiB that is all compression pointers. Ended by SIGTERM it prints
 * how many datagrams a second the kernel has taken, and how many of the messages: `49950 49`.
 */
const [port = 0, rate = 0] = process.argv.slice(2).map(Number)

/** Headers that promise 65,535 records; pointers to themselves, backwards and beyond the end; labels that are cut off. */
const bodies = [
  '0001ffffffffffff',
  '0001000000000000c00c00010001',
  '0001000000000001016103626164000001000100002904d000000000ffff',
  '00010000000000003f616161',
  'ffff00000000000001610000010001',
  `000100000000ffff0161000001000${'1c00c'.repeat(100)}`,
  '00010000000000000161c0ff00010001',
].map(hex => Buffer.from(`123401${'00'}${hex.length % 2 ? `${hex}0` : hex}`, 'hex'))

let sent = 0
let chains = 0
const began = performance.now()

const chain = Buffer.alloc(2 + 65_535)
chain.writeUInt16BE(65_535)
chain.set(Buffer.from('567801000001000000000001', 'hex'), 2)
for (let at = 14; at + 1 < chain.length; at += 2)
  chain.writeUInt16BE(0xc000 | Math.max(12, (at - 4) & 0x3fff), at)

function floodTcp(): void {
  const socket = connect(port, '127.0.0.1')
  socket.on('connect', () =>
    setInterval(() => socket.write(chain, failure => void (failure || chains++)), 20),
  )
  socket.on('data', () => {})
  socket.on('error', () => {})
}

process.on('SIGTERM', () => {
  const seconds = (performance.now() - began) / 1000
  console.log(`${Math.round(sent / seconds)} ${Math.round(chains / seconds)}`)
  process.exit()
})

const socket = createSocket('udp4')
socket.on('message', () => {})
floodTcp()
for (let begun = 0; ; ) {
  const due = ((performance.now() - began) * rate) / 1000
  for (; begun < due; begun++)
    socket.send(bodies[begun % bodies.length]!, port, '127.0.0.1', failure => void (failure || sent++))
  await pause(1)
}
