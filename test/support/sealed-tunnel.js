// Runs in a guest: joins a net with that of another guest, as `xc host --encrypt` does, until it is killed.
import { readFileSync, renameSync, writeFileSync } from 'node:fs'

const dist = '/opt/xcluster/dist'
const { joinNets, NetNamespace } = await import(`${dist}/net/index.js`)
const { openRoute, bridge } = await import(`${dist}/rtnl/index.js`)
const { openWireGuard } = await import(`${dist}/genl/index.js`)

const { address, mac, tunnel, options } = JSON.parse(readFileSync('/tmp/tunnel.json', 'utf8'))
const namespace = NetNamespace.create()
const route = openRoute({ namespace })
await route.links.add(bridge({ name: 'xcbr1', mtu: tunnel.mtu, mac, up: true }))
await route.addresses.add({ link: 'xcbr1', address, prefix: 24 })
const close = () => namespace.close()
await joinNets({ kind: 'bridge', namespace, close, [Symbol.asyncDispose]: close }, [tunnel], options)
const wireGuard = openWireGuard({ namespace })
async function tell() {
  const { privateKey: _, ...device } = await wireGuard.get('xcwg')
  writeFileSync('/tmp/state.draft', JSON.stringify({ pid: process.pid, net: namespace.path, device }))
  renameSync('/tmp/state.draft', '/tmp/state.json')
}
await tell()
setInterval(tell, 300)
