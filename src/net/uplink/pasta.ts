import { Scope, settingText } from '../../base/index.ts'
import { type Pair, planUplink, type UplinkRequest } from '../../plan/index.ts'
import { openRoute, type Route } from '../../rtnl/index.ts'
import { findProgram, type Launched, launch, type NetNamespace } from '../../sys/index.ts'
import { NetError } from '../errors.ts'
import { openInside } from './uplink.ts'

export interface PastaOptions {
  /** A rootless namespace. */
  readonly inside: NetNamespace
  /** The subnets of net 0, whose packets leave with the uplink's addresses. */
  readonly sources: Pair
  /** The directories to search for the program: the value of PATH. */
  readonly searchPath: string
}

/**
 * The uplink of a rootless namespace. `pasta` (passt.top) opens sockets outside in its place, as any program
 * of this user could. So TCP and UDP work outwards, nothing on the host is changed, and nothing gets in.
 */
export async function openPasta(request: UplinkRequest, options: PastaOptions): Promise<AsyncDisposable> {
  const { inside, sources, searchPath } = options
  const { peer: link, ...plan } = planUplink(request)
  await using scope = new Scope()
  const file = find(searchPath)
  const args = ['-c', onStdio, 'sh', file, ...pastaArgs(link, plan)]
  const pasta = launch({ file: '/bin/sh', args, fds: [inside.fd, inside.userFd!] })
  scope.defer(async () => {
    pasta.kill('SIGKILL')
    await pasta.exited
  })
  await using route = openRoute({ namespace: inside })
  await Promise.race([connected(route, link), ended(pasta, file)])
  await openInside({ namespace: inside, link, sources })
  return scope.move()
}

/**
 * It gets the namespaces as inherited descriptors: once inside, it cannot see those of this process. They are its
 * standard input and output, which it does not use, because newer versions close all others before they open anything
 * (`close_open_files`, passt's util.c).
 */
const onStdio = 'exec "$@" <&3 >&4 3<&- 4<&-'

function pastaArgs(
  link: string,
  { inside, outside }: { readonly inside: Pair; readonly outside: Pair },
): string[] {
  const addresses = [inside.ipv4, inside.ipv6].flatMap(address => ['--address', address])
  const gateways = [outside.ipv4, outside.ipv6].flatMap(address => ['--gateway', address])
  const nothingIn = ['--no-map-gw', '-t', 'none', '-u', 'none', '-T', 'none', '-U', 'none']
  return [
    ...['--foreground', '--stderr', '--quiet', '--config-net', '--ns-ifname', link],
    ...[...addresses, '--netmask', '31', ...gateways, ...nothingIn],
    ...['--netns', '/proc/self/fd/0', '--userns', '/proc/self/fd/1'],
  ]
}

/** The route is the last thing that it makes. */
async function connected(route: Route, link: string): Promise<void> {
  const events = route.monitor(['links', 'addresses', 'routes'])
  if (await leads(route, link)) return
  for await (const _ of events) if (await leads(route, link)) return
}

async function leads(route: Route, link: string): Promise<boolean> {
  const found = (await route.links.list()).find(({ name }) => name === link)
  if (!found) return false
  const routes = await route.routes.list()
  return routes.some(({ destination, dev }) => destination === 'default' && dev === found.index)
}

async function ended(pasta: Launched, target: string): Promise<never> {
  const { code, signal } = await pasta.exited
  const words = pasta
    .stderr()
    .split('\n')
    .filter(line => line && !line.includes('syslog'))
  const reason = words.at(-1) ?? `pasta ended with ${signal ?? code}`
  const remedy = `Give the host a default route, which pasta needs, or start the cluster without ${settingText('uplink')}`
  throw new NetError({ code: 'PASTA_FAILED', op: 'open uplink', target, reason, remedy })
}

function find(searchPath: string): string {
  const found = findProgram('pasta', searchPath)
  if (found) return found
  throw new NetError({
    code: 'PASTA_MISSING',
    kind: 'prerequisite',
    op: 'open uplink',
    reason: 'unprivileged users need pasta for an uplink, and it is not installed',
    remedy: 'Install pasta (Debian, Ubuntu: sudo apt-get install passt), or run as root',
  })
}
