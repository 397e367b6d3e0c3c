// A request that the library has no method for: all links, by their numbers and names alone.
import { attributes, connect, i32, message, request, text, u8, u16, u32 } from 'xcluster/netlink'

// struct ifinfomsg and two of its attributes, of linux/if_link.h
const link = message(
  { family: u8, pad: u8, type: u16, index: i32, flags: u32, change: u32 },
  attributes({ name: [3, text], mtu: [4, u32] }),
)

const connection = connect('route')
try {
  const asking = request(link, {}, { type: 18, op: 'list', target: 'links' }) // RTM_GETLINK
  for await (const { index, attributes } of connection.dump(asking, ({ body }) => link.read(body)))
    if (attributes.name === 'lo') console.log(`link ${index} is ${attributes.name}`)
} finally {
  await connection.close()
}
