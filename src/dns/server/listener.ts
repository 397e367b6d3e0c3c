import { isSystemError, Scope, settingText } from '../../base/index.ts'
import { bindInet, handOver, holderOf, interfaceAddresses, SysError } from '../../sys/index.ts'
import { DnsError } from '../errors.ts'
import { lacksAddon } from '../lacks-addon.ts'
import { type NetPlace, placeText } from './address.ts'
import { type Datagrams, openBatched, openPlain } from './datagrams.ts'
import { type StreamOptions, StreamServer } from './streams.ts'

/** One place at which queries arrive, over UDP and TCP. */
export interface Listener extends AsyncDisposable {
  readonly address: string
  readonly port: number
  readonly datagrams: Datagrams
  readonly streams: StreamServer
  close(): Promise<void>
}

export interface ListenerOptions extends StreamOptions {
  /** Receives UDP through node:dgram even where the addon could. */
  readonly plain?: boolean
}

/** How many ports are tried when any will do, and the one found for UDP is taken for TCP. */
const mostTries = 20

/** Opens both sockets and answers queries. */
export async function openListener(place: NetPlace, options: ListenerOptions): Promise<Listener> {
  for (let tries = 1; ; tries++) {
    try {
      return await openOnce(place, options)
    } catch (failure) {
      const again = place.port === 0 && tries < mostTries && isTaken(failure)
      if (!again) throw explained(failure, place)
    }
  }
}

async function openOnce(place: NetPlace, options: ListenerOptions): Promise<Listener> {
  await using scope = new Scope()
  const batched = !options.plain && isBatchedPossible()
  if (!batched && (place.namespace || place.reusePort)) throw needsAddon(place)
  const datagrams = scope.add(batched ? openBatched(place) : await openPlain(hostable(place)))
  const { port } = datagrams
  const streams = scope.add(new StreamServer(options))
  const { address } = hostable(place)
  await streams.listen(batched ? boundStream({ ...place, port }) : { host: address, port })
  datagrams.serve(options.service)
  const all = scope.move()
  const close = () => all.close()
  return { address: place.address, port, datagrams, streams, close, [Symbol.asyncDispose]: close }
}

/** Node closes it when the server closes. */
function boundStream(place: NetPlace): { fd: number } {
  return { fd: handOver(bindInet('tcp', place).fd) }
}

/** Batches need the addon, and a kernel with IPv6: its sockets are for both families. */
function isBatchedPossible(): boolean {
  try {
    const probe = openBatched({ address: '::', port: 0 })
    void probe.close()
    return true
  } catch (failure) {
    if (lacksAddon(failure)) return false
    if (failure instanceof SysError && failure.errnoName === 'EAFNOSUPPORT') return false
    throw failure
  }
}

/** Without IPv6, the address for all addresses is that of IPv4. */
function hostable(place: NetPlace): NetPlace {
  const six = Object.values(interfaceAddresses()).some(all => all?.some(({ family }) => family === 'IPv6'))
  return place.address === '::' && !six ? { ...place, address: '0.0.0.0' } : place
}

function isTaken(failure: unknown): boolean {
  if (failure instanceof SysError) return failure.errnoName === 'EADDRINUSE'
  return isSystemError(failure, 'EADDRINUSE')
}

function explained(cause: unknown, place: NetPlace): unknown {
  if (!isTaken(cause)) return cause
  const { address, port, namespace } = place
  // Sockets for both families show IPv4 addresses mapped into IPv6.
  const addresses = [address, '127.0.0.1', '::1'].flatMap(each =>
    each.includes(':') ? each : [each, `::ffff:${each}`],
  )
  const holders = (['udp', 'tcp'] as const).flatMap(protocol =>
    addresses.flatMap(
      each => holderOf({ protocol, address: each, port, ...(namespace && { namespace }) }) ?? [],
    ),
  )
  const by = holders.length === 0 ? '' : ` by ${[...new Set(holders)].join(' and ')}`
  return new DnsError({
    code: 'DNS_PORT_TAKEN',
    op: 'answer DNS at',
    target: placeText(place),
    reason: `the port is taken${by}`,
    remedy: `Choose another port (${settingText('listen')}), or stop the program that has it`,
    cause,
  })
}

function needsAddon(place: NetPlace): DnsError {
  return new DnsError({
    code: 'DNS_NEEDS_ADDON',
    kind: 'prerequisite',
    op: 'answer DNS at',
    target: placeText(place),
    reason: 'sockets in a namespace, or several on one port, need the native addon and a kernel with IPv6',
    remedy: 'Run: npx xc setup',
  })
}
