import { openUplink } from '../../../src/net/index.ts'
import { NetNamespace } from '../../../src/sys/index.ts'

// Opens an uplink from a namespace of its own to the one it runs in, reports it, and waits to be killed.
const inside = NetNamespace.create()
await openUplink(
  { ipv4Base: '172.30.0.0/24', ipv6Prefix: 'fd00:1723::' },
  {
    owner: 'killed',
    inside,
    outside: NetNamespace.current(),
    sources: { ipv4: '192.168.0.0/24', ipv6: 'fd00::c0a8:0/120' },
    records: process.argv[2]!,
  },
)
console.log('open')
process.stdin.resume()
