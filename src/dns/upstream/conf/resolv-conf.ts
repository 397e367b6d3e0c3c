import { readServer, type Server } from './server.ts'

/** What of a resolv.conf(5) matters to a forwarder. */
export interface ResolvConf {
  readonly servers: readonly Server[]
  /** How long one server is waited for, in seconds: `options timeout:n`, 1 to 30. */
  readonly timeout: number
  /** How often each is asked: `options attempts:n`, 1 to 5. */
  readonly attempts: number
  /** `options rotate`: each question begins with another server. */
  readonly rotate: boolean
  /** `options use-vc`: TCP only. */
  readonly tcpOnly: boolean
  /** `options trust-ad`: the servers' word that an answer was validated is passed on. */
  readonly trustAd: boolean
  /** Lines that could not be read, as sentences. */
  readonly nonsense: readonly string[]
}

/** Reads resolv.conf(5). What is unknown is passed over as everybody does; what is wrong is told, and no reason to stop. */
export function parseResolvConf(text: string): ResolvConf {
  const lines = text.split('\n').map(line => line.trim().split(/\s+/))
  const servers: Server[] = []
  const nonsense: string[] = []
  for (const [i, [keyword, value = '']] of lines.entries()) {
    if (keyword !== 'nameserver') continue
    const server = readServer(value)
    if (server) servers.push(server)
    else nonsense.push(`line ${i + 1}: '${value.slice(0, 60)}' is no address of a name server`)
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
    nonsense,
  }
}

/** The same server twice would be asked twice, and hide that the first does not answer. */
function withoutDoubles(servers: readonly Server[]): Server[] {
  return servers.filter(
    ({ address, port, scope }, i) =>
      i ===
      servers.findIndex(other => other.address === address && other.port === port && other.scope === scope),
  )
}
