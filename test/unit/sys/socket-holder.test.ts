import { expect, test } from 'vitest'
import { boundSockets } from '../../../src/sys/index.ts'

// cat /proc/net/tcp, /proc/net/udp, /proc/net/tcp6 (Linux 6.1, x86-64)
const tcp = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   1: 0100007F:2EE1 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 1654106 1 000000009dbcd391 100 0 0 10 0
   2: 0100007F:A3F2 0100007F:2EE1 01 00000000:00000000 00:00000000 00000000     0        0 1654107 1 000000009dbcd391 100 0 0 10 0
`
const udp = ` 1914: 790000E0:6996 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1654105 2 0000000037770be8 0
`
const tcp6 = `   0: 00000000000000000000000001000000:0016 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 20123 1 0000000000000000 100 0 0 10 0
`

test('boundSockets() lists the waiting sockets and their owners', () => {
  expect(boundSockets(tcp)).toEqual([
    { address: Buffer.of(127, 0, 0, 1), port: 12_001, uid: 1000, inode: '1654106' },
  ])
  expect(boundSockets(udp)).toEqual([
    { address: Buffer.of(224, 0, 0, 121), port: 27_030, uid: 0, inode: '1654105' },
  ])
  const loopback6 = Buffer.from('00000000000000000000000000000001', 'hex')
  expect(boundSockets(tcp6)).toEqual([{ address: loopback6, port: 22, uid: 0, inode: '20123' }])
  expect(boundSockets('')).toEqual([])
})
