import { expect, test } from 'vitest'
import { listeningPorts, routedNetworks } from '../../../src/testing/proc.ts'

// Printed by a guest with Linux 6.1: `cat /proc/net/tcp /proc/net/tcp6`, with dropbear and one connection to it.
const sockets = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 9 1 0 100 0 0 10 0
   1: 0101A8C0:0016 FA01A8C0:9C42 01 00000000:00000000 02:000A6B2C 00000000     0        0 8 2 0 20 4 1 10 -1
  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when
   0: 00000000000000000000000000000000:0016 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000
   1: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000
`

// `cat /proc/net/route /proc/net/ipv6_route` of the same guest.
const routes = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth1\t00000000\tC901A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t0000A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
eth1\t0000070A\t0101A8C0\t0003\t0\t0\t0\t0000FFFF\t0\t0\t0
fd000000000000000000000000000000 78 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0
00000000000000000000000000000001 80 00000000000000000000000000000000 00 00000000000000000000000000000000 00000000 00000003 00000000 80200001       lo
`

test('the ports at which a guest listens are read from /proc/net/tcp and tcp6, each once', () => {
  expect(listeningPorts(sockets)).toEqual([22, 8080])
  expect(listeningPorts('')).toEqual([])
})

test('the networks of routes are read from /proc/net/route and ipv6_route, without those of lo', () => {
  expect(routedNetworks(routes)).toEqual(['0.0.0.0/0', '192.168.0.0/24', '10.7.0.0/16', 'fd00::/120'])
  expect(routedNetworks('')).toEqual([])
})
