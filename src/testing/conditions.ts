import { addressBytes } from '../base/index.ts'
import type { Cluster } from '../cluster/index.ts'
import { listeningPorts, networkText, routedNetworks } from './proc.ts'
import type { Condition } from './wait.ts'

/** What a test can wait for on a node. */
export type Awaitable =
  /** A program listens at this TCP port. */
  | { readonly port: number }
  /** A file or directory exists. */
  | { readonly file: string }
  /** A command ends with status 0. A string is run with `/bin/sh -c`. */
  | { readonly exec: readonly string[] | string }
  /** No program listens at this TCP port any more. */
  | { readonly closedPort: number }
  /** A command ends with another status than 0. A string is run with `/bin/sh -c`. */
  | { readonly fails: readonly string[] | string }
  /** systemd has started this unit: `ssh.service`. */
  | { readonly unit: string }
  /** A table has a route to this network: `10.0.0.0/8`, `fd00::/64`, `default` (IPv4). */
  | { readonly route: string }
  /** An address answers a ping from the node. */
  | { readonly ping: string }
  /** The console has printed this, as far as its last 64 KiB go back. */
  | { readonly consoleText: string | RegExp }
  /** A name resolves on the node. */
  | { readonly dns: string }

/** One look in the guest may take that long, in milliseconds: a ping has no answer, a resolver waits. */
const lookMs = 5000

/** The condition in a form that can be looked at. */
export function conditionOf(cluster: Cluster, node: number, what: Awaitable): Condition {
  if ('consoleText' in what) return consoleText(cluster, node, what.consoleText)
  if ('port' in what || 'closedPort' in what) return port(cluster, node, what)
  if ('unit' in what) return unit(cluster, node, what.unit)
  if ('fails' in what) return failing(cluster, node, what.fails)
  if ('route' in what) return route(cluster, node, what.route)
  if ('file' in what)
    return command(cluster, node, { text: `file ${what.file}`, words: ['test', '-e', what.file] })
  if ('ping' in what) return ping(cluster, node, what.ping)
  if ('dns' in what)
    return command(cluster, node, { text: `name ${what.dns}`, words: ['nslookup', what.dns] })
  return command(cluster, node, { text: `'${textOf(what.exec)}'`, words: what.exec })
}

function textOf(words: readonly string[] | string): string {
  return typeof words === 'string' ? words : words.join(' ')
}

function consoleText(cluster: Cluster, node: number, wanted: string | RegExp): Condition {
  const isSeen = (text: string) =>
    typeof wanted === 'string'
      ? text.includes(wanted)
      : new RegExp(wanted, wanted.flags.replace(/[gy]/g, '')).test(text)
  const console = cluster.console(node)
  return {
    text: `${typeof wanted === 'string' ? `'${wanted}'` : wanted} in the console`,
    look: async () =>
      isSeen(Buffer.from(console.tail()).toString()) ? undefined : `'${console.lastLines(1)}'`,
    events: () => console.attach(),
  }
}

type PortState = { readonly port: number } | { readonly closedPort: number }

function port(cluster: Cluster, node: number, what: PortState): Condition {
  const isOpen = 'port' in what
  const wanted = isOpen ? what.port : what.closedPort
  return {
    text: isOpen ? `TCP port ${wanted}` : `the end of TCP port ${wanted}`,
    async look() {
      const ports = listeningPorts(await printed(cluster, node, 'cat /proc/net/tcp /proc/net/tcp6'))
      return ports.includes(wanted) === isOpen ? undefined : `it listens at ${ports.join(', ') || 'no port'}`
    },
  }
}

function route(cluster: Cluster, node: number, wanted: string): Condition {
  const [address = '', prefix] = (wanted === 'default' ? '0.0.0.0/0' : wanted).split('/')
  const network = networkText(
    address,
    prefix === undefined ? 8 * addressBytes(address).length : Number(prefix),
  )
  return {
    text: `a route to ${network}`,
    async look() {
      const networks = routedNetworks(
        await printed(cluster, node, 'cat /proc/net/route /proc/net/ipv6_route'),
      )
      return networks.includes(network) ? undefined : `it has routes to ${networks.join(', ') || 'nothing'}`
    },
  }
}

/** systemctl(1) prints the state: `active`, `activating`, `failed`. */
function unit(cluster: Cluster, node: number, wanted: string): Condition {
  return command(cluster, node, {
    text: `unit ${wanted}`,
    words: ['systemctl', 'is-active', '--', wanted],
  })
}

function failing(cluster: Cluster, node: number, words: readonly string[] | string): Condition {
  return {
    text: `a failure of '${textOf(words)}'`,
    async look() {
      const { status } = await cluster.exec(node, words, { encoding: 'utf8', timeoutMs: lookMs })
      return status === 0 ? 'status 0' : undefined
    },
  }
}

function ping(cluster: Cluster, node: number, address: string): Condition {
  const six = addressBytes(address).length === 16 ? ['-6'] : []
  return command(cluster, node, {
    text: `an answer of ${address}`,
    words: ['ping', ...six, '-c', '1', '-W', '1', address],
  })
}

interface Tried {
  readonly text: string
  readonly words: readonly string[] | string
}

function command(cluster: Cluster, node: number, { text, words }: Tried): Condition {
  return {
    text,
    async look() {
      const { status, stdout, stderr } = await cluster.exec(node, words, {
        encoding: 'utf8',
        timeoutMs: lookMs,
      })
      if (status === 0) return undefined
      const [last = ''] = (stderr.trim() || stdout.trim()).split('\n').slice(-1)
      return `status ${status}${last && `, '${last.slice(0, 200)}'`}`
    },
  }
}

async function printed(cluster: Cluster, node: number, script: string): Promise<string> {
  const { stdout } = await cluster.exec(node, script, { encoding: 'utf8', timeoutMs: lookMs })
  return stdout
}
