// Every message to and from the kernel, decoded.
import { subscribe } from 'node:diagnostics_channel'
import { traceLine } from 'xcluster'
import { openRoute } from 'xcluster/rtnl'

const lines = []
subscribe('xcluster:netlink', message => lines.push(traceLine(message)))

const route = openRoute()
await route.links.list()
await route.close()
console.log(
  lines.some(line => line.includes('RTM_GETLINK')) ? 'a request for all links was seen' : lines.join('\n'),
)
