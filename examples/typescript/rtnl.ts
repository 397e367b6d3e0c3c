// Links, addresses and routes in a network namespace that goes with this process. It takes root.
import { bridge, NetNamespace, openRoute, veth } from 'xcluster/rtnl'

await using namespace = NetNamespace.create()
await using route = openRoute({ namespace })

await route.batch(({ links, addresses, routes }) => {
  links.add(bridge({ name: 'br0', stp: false, up: true }))
  links.add(veth({ name: 'a', up: true, master: 'br0', peer: { name: 'b' } }))
  addresses.add({ link: 'br0', address: '192.0.2.1', prefix: 24 })
  routes.add({ destination: '198.51.100.0/24', via: '192.0.2.2' })
})

const ports = await route.links.list({ master: 'br0' })
const { via } = await route.routes.get('198.51.100.7')
console.log(`ports of br0: ${ports.map(({ name }) => name)}; 198.51.100.7 is reached by ${via}`)
