import { addressBytes, addressText } from '../base/index.ts'

/** The ports at which a guest listens, by /proc/net/tcp and tcp6 (Documentation/networking/proc_net_tcp.rst). */
export function listeningPorts(table: string): number[] {
  const listening = '0A' // TCP_LISTEN, include/net/tcp_states.h
  const ports = table.split('\n').flatMap(line => {
    const [, local = '', , state] = line.trim().split(/\s+/)
    return state === listening ? [Number.parseInt(local.split(':')[1]!, 16)] : []
  })
  return [...new Set(ports)].sort((a, b) => a - b)
}

/** The networks of all routes but those of `lo`, by /proc/net/route and ipv6_route (net/ipv4/fib_trie.c, net/ipv6/route.c). */
export function routedNetworks(table: string): string[] {
  const networks = table.split('\n').flatMap(line => {
    const cells = line.trim().split(/\s+/)
    const network = cells.length === 10 ? network6(cells) : network4(cells)
    return network === undefined ? [] : [network]
  })
  return [...new Set(networks)]
}

/** `eth0 0001A8C0 00000000 0001 0 0 0 00FFFFFF …`: words in the order of a little-endian machine. */
function network4([dev, destination = '', , , , , , mask = '']: readonly string[]): string | undefined {
  if (!/^[\dA-F]{8}$/.test(destination) || dev === 'lo') return undefined
  const bytes = Buffer.from(destination, 'hex').reverse()
  const prefix = [...Number.parseInt(mask, 16).toString(2)].filter(bit => bit === '1').length
  return networkText(addressText(bytes), prefix)
}

/** `fd00…(32 digits) 78 …source… 00 …next hop… metric references use flags eth0` */
function network6(cells: readonly string[]): string | undefined {
  const [destination = '', prefix = ''] = cells
  if (!/^[\da-f]{32}$/.test(destination) || cells[9] === 'lo') return undefined
  return networkText(addressText(Buffer.from(destination, 'hex')), Number.parseInt(prefix, 16))
}

/** A network as routes are compared: `default` for both families is `0.0.0.0/0` and `::/0`. */
export function networkText(address: string, prefix: number): string {
  return `${addressText(addressBytes(address))}/${prefix}`
}
