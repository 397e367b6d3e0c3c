import { readFileSync, statSync } from 'node:fs'
import { isSystemError, settingText } from '../../base/index.ts'
import { forwardingObstacles, missingKernelParts } from '../../net/index.ts'
import type { Settings } from '../../plan/index.ts'
import { NetNamespace, openNamed, readSysctl } from '../../sys/index.ts'
import { lack } from '../errors.ts'
import type { ReadText } from '../memory.ts'

/** Checks for what impairs networks on this machine. Each returns what it found, or throws MACHINE_LACKS. */

const tunDevice = '/dev/net/tun'

/** Unprivileged users open the device themselves, so its mode must allow them to. */
export function tun(): string {
  const mode = statSync(tunDevice, { throwIfNoEntry: false })?.mode
  if (mode === undefined)
    throw lack(`there is no ${tunDevice}`, 'Run: modprobe tun; or give this container the device')
  const shown = `${tunDevice} has mode ${(mode & 0o7777).toString(8).padStart(4, '0')}`
  if ((mode & 0o006) === 0o006) return `${shown}: all users may make taps`
  const onlyRoot = `${shown}: only root may make taps`
  if (process.geteuid!() === 0) return onlyRoot
  throw lack(onlyRoot, `Run as root: chmod 0666 ${tunDevice}`)
}

interface Limit {
  readonly setting: string
  readonly forbids: (value: string) => boolean
  readonly text: string
  readonly remedy: string
}

const limits: readonly Limit[] = [
  {
    setting: 'user/max_user_namespaces',
    forbids: value => value === '0',
    text: 'this system does not allow user namespaces',
    remedy: 'Run: sysctl -w user.max_user_namespaces=15000',
  },
  {
    setting: 'kernel/unprivileged_userns_clone',
    forbids: value => value === '0',
    text: 'this system forbids user namespaces to unprivileged users',
    remedy: 'Run: sysctl -w kernel.unprivileged_userns_clone=1',
  },
  {
    setting: 'kernel/apparmor_restrict_unprivileged_userns',
    forbids: value => value === '1',
    text: 'AppArmor forbids user namespaces to unprivileged users',
    remedy:
      'Give Node an AppArmor profile with "userns,", or: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0',
  },
]

/** Only unprivileged users need user namespaces. */
export function userNamespaces(read: ReadText = readText, uid: number = process.geteuid!()): string {
  for (const { setting, forbids, text, remedy } of limits) {
    const value = read(`/proc/sys/${setting}`)?.trim()
    if (value === undefined || !forbids(value)) continue
    const found = `${text} (${setting.replaceAll('/', '.')} is ${value})`
    if (uid === 0) return `${found}; root does not need them`
    throw lack(found, `${remedy}; or run as root, or use ${settingText('fabric', 'user')}`)
  }
  return 'unprivileged users may make them'
}

/** Looks for packet filters in namespaces that a cluster shares: a named one and, with an uplink, the host's. */
export async function firewall({ netns, uplink }: Settings): Promise<string> {
  if (netns) {
    await using namespace = openNamed(netns)
    refuseBridgeFilter(namespace, netns)
    await refuseObstacles(namespace, netns)
    return `no packet filter in ${netns} drops a cluster's packets`
  }
  if (uplink === 'off') return "the host's packet filters do not apply in a cluster's own namespace"
  await using host = NetNamespace.current()
  await refuseObstacles(host, 'the host')
  return "the host's packet filters let uplinks pass"
}

async function refuseObstacles(namespace: NetNamespace, where: string): Promise<void> {
  const [first] = await forwardingObstacles(namespace)
  if (first) throw lack(`in ${where}, ${first.what}`, first.remedy)
}

/** A start switches it off while its cluster runs. Before that, it applies to bridges in the namespace. */
function refuseBridgeFilter(namespace: NetNamespace, where: string): void {
  const setting = 'net/bridge/bridge-nf-call-iptables'
  try {
    if (readSysctl(namespace, setting) !== '1') return
  } catch {
    return // br_netfilter has not been loaded
  }
  const name = setting.replaceAll('/', '.')
  const found = `in ${where}, bridged frames pass through iptables (br_netfilter: ${name} is 1)`
  throw lack(
    found,
    `Run: ip netns exec ${where} sysctl -w ${name}=0; xc start does so while its cluster runs`,
  )
}

export async function kernelParts(): Promise<string> {
  const missing = await missingKernelParts()
  if (missing.length === 0) return 'it supports uplinks, NAT, rate limits, delay and packet loss'
  const found = missing.map(({ gives, option }) => `${gives} (${option})`).join(', ')
  const modules = missing.map(({ module }) => module).join(' ')
  throw lack(
    `this kernel lacks ${found}`,
    `Run: modprobe -a ${modules}; or use a kernel that has these options`,
  )
}

/** The receive buffer of sockets that others could flood: the DNS forwarder's UDP, and user-space segments. */
const wantedBuffer = 4 << 20

/** This does not limit netlink sockets of root, which use SO_RCVBUFFORCE. */
export function socketBuffers(read: ReadText = readText): string {
  const most = Number(read('/proc/sys/net/core/rmem_max') ?? Number.NaN)
  if (!(most < wantedBuffer)) return 'sockets get the receive buffers that they request'
  const found = `sockets get receive buffers of at most ${most} bytes (net.core.rmem_max): bursts may be lost`
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
