import { type Asked, badAnswer, shown } from './errors.ts'
import {
  type Described,
  describe,
  printDescribed,
  printOption,
  type QemuOption,
  readOptions,
} from './options.ts'

/** A node's interface, as its script or function describes it. */
export interface Answer {
  /** QEMU options. `{tap}` stands for the number of the tap's descriptor. */
  readonly args: readonly string[]
  /** A tap that this process opens, because QEMU may not. */
  readonly tap?: { readonly name: string; readonly vnetHdr: boolean }
  /** The device is the same as in templates. */
  readonly plain: boolean
  /** Options for which QEMU must keep its privileges. */
  readonly privileged: readonly string[]
}

/** The interface that the answer is for. */
export interface Socket {
  /** Its position: eth0 is 0. */
  readonly index: number
  readonly mac: string
}

/** Interprets an answer. Throws NET_SETUP_ANSWER when it is not valid. Pure. */
export function readAnswer(words: readonly string[], { index, mac }: Socket, asked: Asked): Answer {
  const said = shown(words.join(' '))
  if (words.length === 0) throw badAnswer(asked, 'gave no answer')
  const read = readOptions(words)
  if ('stray' in read) throw badAnswer(asked, `answered ${said}, where ${shown(read.stray)} is not an option`)
  if (!read.options.some(({ name }) => ['netdev', 'device', 'nic', 'net'].includes(name)))
    throw badAnswer(asked, `answered ${said}, which is not a network interface`)
  const { options, tap } = withTap(read.options)
  const device = options.find(isNic)
  mustName(index === 0 ? device : undefined, asked)
  const plain = tap?.vnetHdr === true && isPlain(options, mac)
  const printed = options.map(option => (option === device ? named(option, index, plain) : option))
  const privileged = options.filter(needsPrivileges).map(option => printOption(option).join(' '))
  return { args: printed.flatMap(printOption), ...(tap && { tap }), plain, privileged }
}

const backends = ['netdev', 'nic']
/** Keys about how QEMU opens a tap. It does not open one here. */
const opening = ['ifname', 'script', 'downscript', 'vnet_hdr']

/** The first tap with a name and nothing else is opened by this process: `ifname=X` becomes `fd=`. */
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

/** A tap with several queues, or with a script for QEMU to start, does not count: QEMU must open that itself. */
function isNamedTap({ kind, keys }: Described): boolean {
  const runs = ['script', 'downscript'].some(key => !['no', undefined].includes(keys.get(key)))
  return kind === 'tap' && keys.has('ifname') && !runs && !keys.has('queues') && !keys.has('helper')
}

/** True for an option of the guest's side. */
function isNic({ name, value = '' }: QemuOption): boolean {
  return name === 'device' && describe(value).keys.has('netdev')
}

/** A guest that boots finds its number in the last byte of eth0's Ethernet address. */
function mustName(device: QemuOption | undefined, asked: Asked): void {
  if (device === undefined) return
  const mac = describe(device.value!).keys.get('mac')
  if (mac !== undefined && Number.parseInt(mac.slice(-2), 16) === asked.node) return
  const last = asked.node.toString(16).padStart(2, '0')
  throw badAnswer(
    asked,
    `gave eth0 ${mac === undefined ? 'no Ethernet address' : `the Ethernet address ${mac}`}, and a guest knows its ` +
      `number by the last byte of that, which is ${last} for node ${asked.node}`,
  )
}

/** True for a network backend and a device that, except for the address, are the usual ones. */
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

/** The id is needed to disconnect the link. Without an option ROM the device is the same as in templates. */
function named(device: QemuOption, index: number, plain: boolean): QemuOption {
  const { kind, keys } = describe(device.value!)
  const own = new Map([...keys, ...(keys.has('id') && !plain ? [] : [['id', `nic${index}`] as const])])
  if (plain) own.set('romfile', '')
  return { name: device.name, value: printDescribed({ kind, keys: own }) }
}

/** Backends that an unprivileged QEMU can open by itself: sockets only. Others may need privileges. */
const harmless = ['user', 'socket', 'stream', 'dgram', 'hubport', 'none']

function needsPrivileges({ name, value = '' }: QemuOption): boolean {
  const { kind, keys } = describe(value)
  if (name === 'device') return /^(vfio|vhost)/.test(kind)
  if (!backends.includes(name)) return name !== 'global'
  if (kind === 'tap') return !keys.has('fd') || [...keys.keys()].some(key => key.startsWith('vhost'))
  return !harmless.includes(kind)
}
