// Every message to and from the kernel, decoded.
import { subscribe } from 'node:diagnostics_channel'
import { type TraceMessage, traceLine } from 'xcluster'
import { openRoute } from 'xcluster/rtnl'

const lines: string[] = []
subscribe('xcluster:netlink', message => lines.push(traceLine(message as TraceMessage)))

await using route = openRoute()
await route.links.list()
console.log(
  lines.some(line => line.includes('RTM_GETLINK')) ? 'a request for all links was seen' : lines.join('\n'),
)
