import { readServer, type Server } from './server.ts'

/** The settings of a resolv.conf(5) that a forwarder uses. */
export interface ResolvConf {
  readonly servers: readonly Server[]
  /** How long to wait for one server, in seconds: `options timeout:n`, 1 to 30. */
  readonly timeout: number
  /** How often to query each server: `options attempts:n`, 1 to 5. */
  readonly attempts: number
  /** `options rotate`: each query starts with another server. */
  readonly rotate: boolean
  /** `options use-vc`: TCP only. */
  readonly tcpOnly: boolean
  /** `options trust-ad`: the AD bit of the servers is passed on to clients. */
  readonly trustAd: boolean
  /** Sentences about lines that could not be read. */
  readonly badLines: readonly string[]
}

/**
 * Reads resolv.conf(5). Unknown settings are skipped, as other resolvers do; wrong ones are reported, and
 * reading continues.
 */
export function parseResolvConf(text: string): ResolvConf {
  const lines = text.split('\n').map(line => line.trim().split(/\s+/))
  const servers: Server[] = []
  const badLines: string[] = []
  for (const [i, [keyword, value = '']] of lines.entries()) {
    if (keyword !== 'nameserver') continue
    const server = readServer(value)
    if (server) servers.push(server)
    else badLines.push(`line ${i + 1}: '${value.slice(0, 60)}' is not the address of a name server`)
  }
  const options = lines.filter(([keyword]) => keyword === 'options').flatMap(([, ...words]) => words)
  const number = (name: string, { usual, most }: { usual: number; most: number }) => {
    const given = options.findLast(option => option.startsWith(`${name}:`))?.slice(name.length + 1)
    return given && /^\d+$/.test(given) ? Math.min(Math.max(Number(given), 1), most) : usual
  }
  return {
    servers: withoutDoubles(servers),
    timeout: number('timeout', { usual: 5, most: 30 }),
    attempts: number('attempts', { usual: 2, most: 5 }),
    rotate: options.includes('rotate'),
    tcpOnly: options.includes('use-vc') || options.includes('usevc'),
    trustAd: options.includes('trust-ad'),
    badLines,
  }
}

/** Removes duplicates: a server listed twice would be queried twice, and hide that the first does not answer. */
function withoutDoubles(servers: readonly Server[]): Server[] {
  return servers.filter(
    ({ address, port, scope }, i) =>
      i ===
      servers.findIndex(other => other.address === address && other.port === port && other.scope === scope),
  )
}
