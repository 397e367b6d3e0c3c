import type { Command } from 'commander'
import { withOptions } from '../../base/index.ts'
import type { DnsOptions, ThreadedDns } from '../../dns/index.ts'
import {
  badValue,
  collect,
  type DnsCommandOptions,
  dnsOptionsOf,
  numberOf,
  untilStopped,
} from '../options/dns.ts'
import { print, printJson, tell } from '../output.ts'
import type { Session } from '../session.ts'

export function configure(command: Command, _session: Session): void {
  command
    .argument('[type]', 'with --query: the record type (default A)')
    .usage('[options]\n       xc dns --query NAME [TYPE] [--server ADDR[:PORT]] [--tcp] [--json]')
    .option('--listen <addr:port>', 'address for UDP and TCP (default [::]:10053, IPv4 too)', collect)
    .option('--resolv-conf <file>', 'file with the upstreams; changes take effect (default /etc/resolv.conf)')
    .option(
      '--upstream <addr[:port]>',
      'an upstream instead of those in resolv.conf; tls://ADDR#NAME, https://ADDR/PATH#NAME',
      collect,
    )
    .option('--upstream-ca <file>', "certificates for upstreams over TLS (default: Node's roots)")
    .option('--policy <order>', 'sequential, random or fastest upstream (default sequential)')
    .option('--zone <domain=addr[:port]>', 'the upstream for a domain and all names below it', collect)
    .option('--hosts <file>', 'local names, as in /etc/hosts')
    .option(
      '--record <record>',
      "'[@ADDR,…] NAME [TTL] TYPE DATA': a record to answer, for some clients alone",
      collect,
    )
    .option('--fault <fault>', "'NAME FAULT' with options as in dns-fault-add: answers that fail", collect)
    .option('--cache-ttl-max <seconds>', 'the longest time that an answer is cached (default 3000)')
    .option('--cache-size <entries>', 'how many answers are cached (default 10000)')
    .option('--cache-bytes <bytes>', 'their memory (default 32 MiB, or 1 KiB an answer if that is more)')
    .option('--allow <cidr>', 'clients that may ask, besides this machine', collect)
    .option('--mixed-case', 'random capitals in queries to upstreams: their answers are harder to forge')
    .option('--rebind-protection', 'refuse private addresses from upstreams')
    .option('--filter <addresses>', 'leave out all aaaa, or all a, addresses')
    .option('--dns64 [prefix]', 'IPv6 addresses for names that have none (default prefix 64:ff9b::/96)')
    .option('--log <file>', 'write a line for every answer; - is standard output')
    .option('--metrics <addr:port>', 'serve /metrics for Prometheus')
    .option('--threads <n>', 'number of threads, each with its own cache (default 1)')
    .option('--query <name>', 'send one query instead, and print the answer')
    .option('--server <addr[:port]>', 'with --query: the server (default 127.0.0.1:10053)')
    .option('--tcp', 'with --query: use TCP')
    .option('--json', 'with --query: print one JSON value (docs/json.md)')
    .addHelpText('after', '\nSIGHUP reloads resolv.conf and the hosts file, and reopens the log.')
    .action((type: string | undefined, options: DnsCommandOptions) =>
      options.query === undefined ? serve(options, type) : query(options.query, { type, options }),
    )
}

async function query(
  name: string,
  { type, options }: { type: string | undefined; options: DnsCommandOptions },
): Promise<void> {
  const { describeAnswer, lookUp, usualPort } = await import('../../dns/index.ts')
  const server = options.server ?? `127.0.0.1:${usualPort}`
  const bytes = await lookUp({ name, server, ...(type && { type }), tcp: options.tcp ?? false })
  const answer = describeAnswer(bytes)
  if (!answer) throw badValue('--server', `the answer of ${server} is not a DNS message`)
  if (options.json) return printJson({ v: 1, ...answer })
  print(
    answer.records.map(row => `${[row.name, row.ttl, row.class, row.type, row.data].join('\t')}\n`).join(''),
  )
  if (answer.truncated) tell('The answer is truncated: --tcp gets all of it.')
  if (answer.rcode !== 'NOERROR' || answer.records.length === 0)
    tell(`${answer.rcode}, ${answer.records.length} records`)
  if (answer.rcode !== 'NOERROR') process.exitCode = 1
}

async function serve(options: DnsCommandOptions, extra: string | undefined): Promise<void> {
  if (extra !== undefined) throw badValue(`'${extra}'`, 'a record type needs --query')
  const stopped = untilStopped()
  await using dns = await open(options)
  const reload = () => void dns.reload().catch(failure => tell(`xc dns: reload: ${failure.message}`))
  process.on('SIGHUP', reload)
  const { placeText } = await import('../../dns/index.ts')
  const metrics = dns.metrics ? `; metrics at http://${placeText(dns.metrics)}/metrics` : ''
  tell(`xc dns: ready at ${dns.places.map(placeText).join(', ')}, UDP and TCP${metrics}`)
  await stopped
  process.off('SIGHUP', reload)
}

async function open(options: DnsCommandOptions): Promise<ThreadedDns> {
  const threads = numberOf('--threads', options.threads, { least: 1, most: 64 }) ?? 1
  const notice = (text: string) => tell(`xc dns: ${withOptions(text)}`)
  const dnsOptions = { ...dnsOptionsOf(options), ...(await ownOf(options)) }
  const { openDns, openThreads } = await import('../../dns/index.ts')
  if (threads === 1) return openDns({ ...dnsOptions, notice })
  if (options.log === '-')
    throw badValue('--log', 'threads would mix their lines on standard output: name a file')
  return openThreads(dnsOptions, { threads, notice, onDeath: failure => notice(failure.message) })
}

/** What few forwarders have is loaded for those alone. */
async function ownOf({ record, fault }: DnsCommandOptions): Promise<Pick<DnsOptions, 'own' | 'faults'>> {
  if (!record && !fault) return {}
  const { faultsOf, recordsOf } = await import('../options/dns-own.ts')
  return {
    ...(record && { own: { hosts: [], records: recordsOf(record) } }),
    ...(fault && { faults: faultsOf(fault) }),
  }
}
