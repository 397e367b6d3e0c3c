import type { Command } from 'commander'
import type { ThreadedDns } from '../../dns/index.ts'
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
    .argument('[type]', 'with --query: the type of records, A by default')
    .usage('[options]\n       xc dns --query NAME [TYPE] [--server ADDR[:PORT]] [--tcp] [--json]')
    .option('--listen <addr:port>', 'where to answer, UDP and TCP (default [::]:10053, IPv4 too)', collect)
    .option('--resolv-conf <file>', 'whom to ask (default /etc/resolv.conf, followed when it changes)')
    .option('--upstream <addr[:port]>', 'whom to ask instead', collect)
    .option('--policy <order>', 'sequential, random or fastest upstream (default sequential)')
    .option('--zone <domain=addr[:port]>', 'whom to ask for a domain and all below it', collect)
    .option('--hosts <file>', 'names that are answered here, as in /etc/hosts')
    .option('--cache-ttl-max <seconds>', 'the longest that an answer is kept (default 3000)')
    .option('--cache-size <entries>', 'how many answers are kept (default 10000)')
    .option('--allow <cidr>', 'who may ask besides this machine itself', collect)
    .option('--mixed-case', 'ask upstreams in random capitals: answers are harder to forge')
    .option('--rebind-protection', 'refuse private addresses from upstreams')
    .option('--log <file>', 'write a line for every answer; - is standard output')
    .option('--metrics <addr:port>', 'serve /metrics for Prometheus')
    .option('--threads <n>', 'so many threads, each with its own cache (default 1)')
    .option('--query <name>', 'ask one question instead, and print the answer')
    .option('--server <addr[:port]>', 'with --query: whom (default 127.0.0.1:10053)')
    .option('--tcp', 'with --query: over TCP')
    .option('--json', 'with --query: print one JSON value (docs/json.md)')
    .addHelpText('after', '\nSIGHUP reads resolv.conf and the hosts file again, and opens the log again.')
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
  if (!answer) throw badValue('--server', `what ${server} says is no DNS message`)
  if (options.json) return printJson({ v: 1, ...answer })
  print(
    answer.records.map(row => `${[row.name, row.ttl, row.class, row.type, row.data].join('\t')}\n`).join(''),
  )
  if (answer.truncated) tell('The answer was cut off: --tcp gets all of it.')
  if (answer.rcode !== 'NOERROR' || answer.records.length === 0)
    tell(`${answer.rcode}, ${answer.records.length} records`)
  if (answer.rcode !== 'NOERROR') process.exitCode = 1
}

async function serve(options: DnsCommandOptions, extra: string | undefined): Promise<void> {
  if (extra !== undefined) throw badValue(`'${extra}'`, 'a type of records goes with --query')
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
  const notice = (text: string) => tell(`xc dns: ${text}`)
  const dnsOptions = dnsOptionsOf(options)
  const { openDns, openThreads } = await import('../../dns/index.ts')
  if (threads === 1) return openDns({ ...dnsOptions, notice })
  if (options.log === '-')
    throw badValue('--log', 'threads would mix their lines on standard output: give a file')
  return openThreads(dnsOptions, { threads, notice, onDeath: failure => notice(failure.message) })
}
