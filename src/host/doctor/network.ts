import { readFileSync, statSync } from 'node:fs'
import { isSystemError } from '../../base/index.ts'
import { forwardingObstacles, missingKernelParts } from '../../net/index.ts'
import type { Settings } from '../../plan/index.ts'
import { NetNamespace, openNamed, readSysctl } from '../../sys/index.ts'
import { lack } from '../errors.ts'
import type { ReadText } from '../memory.ts'

/** What will hurt networks on this machine, apart from what forbids them. Each gives what it found, or throws. */

const tunDevice = '/dev/net/tun'

/** Who is not root opens it himself. */
export function tun(): string {
  const mode = statSync(tunDevice, { throwIfNoEntry: false })?.mode
  if (mode === undefined)
    throw lack(`there is no ${tunDevice}`, 'Run: modprobe tun; in a container give it the device')
  const shown = `${tunDevice} has mode ${(mode & 0o7777).toString(8).padStart(4, '0')}`
  if ((mode & 0o006) === 0o006) return `${shown}: everybody may make taps`
  if (process.geteuid!() === 0) return `${shown}: nobody but root may make taps`
  throw lack(`${shown}: only root may make taps`, `Run as root: chmod 0666 ${tunDevice}`)
}

interface Limit {
  readonly setting: string
  readonly forbids: (value: string) => boolean
  readonly who: string
  readonly remedy: string
}

const limits: readonly Limit[] = [
  {
    setting: 'user/max_user_namespaces',
    forbids: value => value === '0',
    who: 'this system allows no user namespaces',
    remedy: 'Run: sysctl -w user.max_user_namespaces=15000',
  },
  {
    setting: 'kernel/unprivileged_userns_clone',
    forbids: value => value === '0',
    who: 'this system forbids user namespaces to ordinary users',
    remedy: 'Run: sysctl -w kernel.unprivileged_userns_clone=1',
  },
  {
    setting: 'kernel/apparmor_restrict_unprivileged_userns',
    forbids: value => value === '1',
    who: 'AppArmor forbids user namespaces to ordinary users',
    remedy:
      'Give Node an AppArmor profile with "userns,", or: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0',
  },
]

/** Only who is not root needs them. */
export function userNamespaces(read: ReadText = readText, uid: number = process.geteuid!()): string {
  for (const { setting, forbids, who, remedy } of limits) {
    const value = read(`/proc/sys/${setting}`)?.trim()
    if (value === undefined || !forbids(value)) continue
    const found = `${who} (${setting.replaceAll('/', '.')} is ${value})`
    if (uid === 0) return `${found}; root needs none`
    throw lack(found, `${remedy}; or run as root, or use --fabric user`)
  }
  return 'ordinary users may make them'
}

/** The namespaces that are not a cluster's own, with somebody else's rules in them. */
export async function firewall({ netns, uplink }: Settings): Promise<string> {
  if (netns) {
    await using namespace = openNamed(netns)
    refuseBridgeFilter(namespace, netns)
    await refuseObstacles(namespace, netns)
    return `nothing is dropped in ${netns}`
  }
  if (uplink === 'off') return "a cluster's own namespace has no rules of the host's"
  await using host = NetNamespace.current()
  await refuseObstacles(host, 'the host')
  return 'the host lets ways out pass'
}

async function refuseObstacles(namespace: NetNamespace, where: string): Promise<void> {
  const [first] = await forwardingObstacles(namespace)
  if (first) throw lack(`in ${where}, ${first.what}`, first.remedy)
}

/** A start switches it off for as long as the cluster is there; what is done before goes through it. */
function refuseBridgeFilter(namespace: NetNamespace, where: string): void {
  const setting = 'net/bridge/bridge-nf-call-iptables'
  try {
    if (readSysctl(namespace, setting) !== '1') return
  } catch {
    return // br_netfilter is not loaded
  }
  const name = setting.replaceAll('/', '.')
  const found = `in ${where}, bridged frames pass iptables (br_netfilter: ${name} is 1)`
  throw lack(found, `Run: ip netns exec ${where} sysctl -w ${name}=0; a start does it while its cluster runs`)
}

export async function kernelParts(): Promise<string> {
  const missing = await missingKernelParts()
  if (missing.length === 0) return 'ways out, NAT, rates, delay and loss are to be had'
  const found = missing.map(({ gives, option }) => `${gives} (${option})`).join(', ')
  const modules = missing.map(({ module }) => module).join(' ')
  throw lack(
    `this kernel lacks ${found}`,
    `Run: modprobe -a ${modules}; or use a kernel that has these options`,
  )
}

/** What sockets of ours ask for that others could flood: UDP of the DNS forwarder, segments of user-space nets. */
const wantedBuffer = 4 << 20

/** Netlink's are not limited by it where we are root: SO_RCVBUFFORCE. */
export function socketBuffers(read: ReadText = readText): string {
  const most = Number(read('/proc/sys/net/core/rmem_max') ?? Number.NaN)
  if (!(most < wantedBuffer)) return 'sockets get the receive buffers that they ask for'
  const found = `sockets get receive buffers of ${most} bytes at most (net.core.rmem_max): bursts may be lost`
  throw lack(found, `Run: sysctl -w net.core.rmem_max=${wantedBuffer}`)
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (failure) {
    if (isSystemError(failure, 'ENOENT', 'EACCES')) return undefined
    throw failure
  }
}
