import { type Asked, nonsense, shown } from './errors.ts'
import {
  type Described,
  describe,
  printDescribed,
  printOption,
  type QemuOption,
  readOptions,
} from './options.ts'

/** What a node's interface is to be, as its script or function has said it. */
export interface Answer {
  /** Options of QEMU. `{tap}` stands for the number that the tap's descriptor will have. */
  readonly args: readonly string[]
  /** To be opened by us: QEMU may not. */
  readonly tap?: { readonly name: string; readonly vnetHdr: boolean }
  /** Its device is like those of templates. */
  readonly plain: boolean
  /** Options for which QEMU has to keep its privileges. */
  readonly privileged: readonly string[]
}

/** Where it will be. */
export interface Socket {
  /** Its place: eth0 is 0. */
  readonly index: number
  readonly mac: string
}

/** Understands an answer; throws NET_SETUP_ANSWER when it is none. Pure. */
export function readAnswer(words: readonly string[], { index, mac }: Socket, asked: Asked): Answer {
  const said = shown(words.join(' '))
  if (words.length === 0) throw nonsense(asked, 'gave no answer')
  const read = readOptions(words)
  if ('stray' in read) throw nonsense(asked, `answered ${said}, where ${shown(read.stray)} is no option`)
  if (!read.options.some(({ name }) => ['netdev', 'device', 'nic', 'net'].includes(name)))
    throw nonsense(asked, `answered ${said}, which is no network interface`)
  const { options, tap } = withTap(read.options)
  const device = options.find(isNic)
  mustName(index === 0 ? device : undefined, asked)
  const plain = tap?.vnetHdr === true && isPlain(options, mac)
  const told = options.map(option => (option === device ? named(option, index, plain) : option))
  const privileged = options.filter(needsPrivileges).map(option => printOption(option).join(' '))
  return { args: told.flatMap(printOption), ...(tap && { tap }), plain, privileged }
}

const backends = ['netdev', 'nic']
/** Keys that are about how QEMU opens a tap, which it does not. */
const opening = ['ifname', 'script', 'downscript', 'vnet_hdr']

/** The first tap that has a name, and only that, is opened by us: `ifname=X` becomes `fd=`. */
function withTap(options: readonly QemuOption[]): { options: QemuOption[]; tap?: Answer['tap'] } {
  const at = options.findIndex(
    ({ name, value }) => backends.includes(name) && isNamedTap(describe(value ?? '')),
  )
  if (at < 0) return { options: [...options] }
  const { name, value } = options[at]!
  const { kind, keys } = describe(value!)
  const kept = new Map([...keys].filter(([key]) => !opening.includes(key)))
  const fd = { name, value: printDescribed({ kind, keys: kept.set('fd', '{tap}') }) }
  const tap = { name: keys.get('ifname')!, vnetHdr: keys.get('vnet_hdr') !== 'off' }
  return { options: options.with(at, fd), tap }
}

/** Not one with several queues, nor one for which QEMU is to start a script: it has to open those itself. */
function isNamedTap({ kind, keys }: Described): boolean {
  const runs = ['script', 'downscript'].some(key => !['no', undefined].includes(keys.get(key)))
  return kind === 'tap' && keys.has('ifname') && !runs && !keys.has('queues') && !keys.has('helper')
}

/** The guest's side, by its wire. */
function isNic({ name, value = '' }: QemuOption): boolean {
  return name === 'device' && describe(value).keys.has('netdev')
}

/** A guest that boots knows its number by the last byte of eth0's Ethernet address. */
function mustName(device: QemuOption | undefined, asked: Asked): void {
  if (device === undefined) return
  const mac = describe(device.value!).keys.get('mac')
  if (mac !== undefined && Number.parseInt(mac.slice(-2), 16) === asked.node) return
  const last = asked.node.toString(16).padStart(2, '0')
  throw nonsense(
    asked,
    `gave eth0 ${mac === undefined ? 'no Ethernet address' : `the Ethernet address ${mac}`}, and a guest knows its ` +
      `number by the last byte of that, which is ${last} for node ${asked.node}`,
  )
}

/** A wire and a device that is, but for its address, as we make them. */
function isPlain(options: readonly QemuOption[], mac: string): boolean {
  const [wire, device] = options
  if (options.length !== 2 || wire?.name !== 'netdev' || device?.name !== 'device') return false
  const [tap, nic] = [describe(wire.value ?? ''), describe(device.value ?? '')]
  const only = ({ keys }: Described, ...known: string[]) => [...keys.keys()].every(key => known.includes(key))
  return (
    only(tap, 'id', 'fd') &&
    nic.kind === 'virtio-net-pci' &&
    only(nic, 'netdev', 'mac', 'id', 'romfile') &&
    nic.keys.get('netdev') === tap.keys.get('id') &&
    nic.keys.get('mac')?.toLowerCase() === mac
  )
}

/** By its id a cable is pulled, and without an option ROM it is like those of templates. */
function named(device: QemuOption, index: number, plain: boolean): QemuOption {
  const { kind, keys } = describe(device.value!)
  const own = new Map([...keys, ...(keys.has('id') && !plain ? [] : [['id', `nic${index}`] as const])])
  if (plain) own.set('romfile', '')
  return { name: device.name, value: printDescribed({ kind, keys: own }) }
}

/** What an unprivileged QEMU can open by itself, which is nothing but sockets; of the rest we cannot know. */
const harmless = ['user', 'socket', 'stream', 'dgram', 'hubport', 'none']

function needsPrivileges({ name, value = '' }: QemuOption): boolean {
  const { kind, keys } = describe(value)
  if (name === 'device') return /^(vfio|vhost)/.test(kind)
  if (!backends.includes(name)) return name !== 'global'
  if (kind === 'tap') return !keys.has('fd') || [...keys.keys()].some(key => key.startsWith('vhost'))
  return !harmless.includes(kind)
}
