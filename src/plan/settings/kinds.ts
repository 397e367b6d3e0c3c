import { addressBytes, isAddress, namePattern } from '../../base/index.ts'
import { isTemplate } from '../addressing.ts'
import type { Topology } from '../topology/topology.ts'

/** The type of a setting: how it is read from text (or checked, when it comes typed) and printed. */
export interface Kind<T> {
  /** Ends the sentence "'x' is not …". */
  readonly expects: string
  /** All values, where they are a few words. */
  readonly words?: readonly string[]
  /** The value; undefined when `value` is not of this kind. */
  read(value: unknown): T | undefined
  print(value: T): string
}

/** A whole number from `min` to `max`. */
export function whole(min: number, max: number): Kind<number> {
  return {
    expects: `a whole number from ${min} to ${max}`,
    read(value) {
      const number = typeof value === 'string' && /^\d{1,10}$/.test(value.trim()) ? Number(value) : value
      return Number.isInteger(number) && Number(number) >= min && Number(number) <= max
        ? Number(number)
        : undefined
    },
    print: String,
  }
}

/** Any text on one line. */
export const text: Kind<string> = {
  expects: 'text on one line',
  read: value => (typeof value === 'string' && !/[\n\0]/.test(value) ? value : undefined),
  print: value => value,
}

/** Names, each without a comma or white space. */
export const nameList: Kind<readonly string[]> = {
  expects: 'a list of names, separated by commas or spaces',
  read: value => listOf(value, /[\s,]+/),
  print: value => value.join(','),
}

/** Paths of directories, as in PATH. */
export const pathList: Kind<readonly string[]> = {
  expects: 'a list of directories, separated by colons',
  read: value => listOf(value, ':'),
  print: value => value.join(':'),
}

function listOf(value: unknown, separator: RegExp | string): readonly string[] | undefined {
  const parts: unknown = typeof value === 'string' ? value.split(separator) : value
  if (!Array.isArray(parts) || !parts.every(part => text.read(part) !== undefined)) return undefined
  return (parts as string[]).filter(Boolean)
}

/** One of a few words. */
export function choice<const W extends string>(...words: W[]): Kind<W> {
  return {
    expects: `one of ${words.join(', ')}`,
    words,
    read: value => words.find(word => word === value),
    print: value => value,
  }
}

/** The nets that the host is on, each once: `0,2` or `none`. */
export const hostNetList: Kind<readonly number[]> = {
  expects: 'a list of different nets from 0 to 255, such as 0,2, or none',
  read: value => (value === 'none' ? [] : numbers(value)),
  print: value => value.join(',') || 'none',
}

/** The nets of a node in the order of its interfaces, `0,3,2`. eth0 is always on net 0. */
export const netList: Kind<readonly number[]> = {
  expects: 'a list of different nets from 0 to 255 that begins with 0, such as 0,1',
  read(value) {
    const nets = numbers(value)
    return nets?.[0] === 0 ? nets : undefined
  },
  print: value => value.join(','),
}

function numbers(value: unknown): readonly number[] | undefined {
  const parts = typeof value === 'string' ? value.split(',') : value
  if (!Array.isArray(parts)) return undefined
  const net = whole(0, 255)
  const nets = parts.map(part => net.read(part)).filter(part => part !== undefined)
  return nets.length === parts.length && new Set(nets).size === nets.length ? nets : undefined
}

const unicast =
  'a unicast address, not multicast (ff00::/8), link-local (fe80::/10) or one that holds IPv4 (::/80)'

/** True for an IPv6 address that an interface can have and that packets are routed by (RFC 4291 §2.4). */
function isUnicast6(text: string): boolean {
  if (!text.includes(':') || !isAddress(text)) return false
  const [first = 0, second = 0, ...rest] = addressBytes(text)
  const isLinkLocal = first === 0xfe && (second & 0xc0) === 0x80
  const holdsIpv4 = [first, second, ...rest.slice(0, 8)].every(byte => byte === 0)
  return first !== 0xff && !isLinkLocal && !holdsIpv4
}

/**
 * The text before `:192.168.0.1` in the IPv6 addresses: `fd00:`, `1000::1`. The 32 bits after it are the IPv4
 * address.
 */
export const prefix6: Kind<string> = {
  expects: `an IPv6 prefix such as fd00: (PREFIX:192.168.0.1 must be ${unicast})`,
  read: value => (typeof value === 'string' && isUnicast6(`${value}:192.168.0.1`) ? value : undefined),
  print: value => value,
}

/** A name that {@link namePattern} matches. */
export const clusterName: Kind<string> = {
  expects:
    'a valid cluster name: 1 to 32 letters, digits, dots, dashes or underscores, beginning with a letter or digit',
  read: value => (typeof value === 'string' && namePattern.test(value) ? value : undefined),
  print: value => value,
}

/** The name of a network namespace; empty for none. */
export const namespace: Kind<string> = {
  expects: 'a name of a network namespace, as `ip netns` lists them',
  read: value => (typeof value === 'string' && /^([A-Za-z0-9_][\w.@-]*)?$/.test(value) ? value : undefined),
  print: value => value,
}

/** Whether the cluster has an uplink. A number chooses which one. */
export const uplinks: Kind<'off' | 'on' | number> = {
  expects: 'off, on (the first free number) or a number from 0 to 255',
  read: value => choice('off', 'on').read(value) ?? whole(0, 255).read(value),
  print: String,
}

/** `172.30.0.0/24`; or `172.30`, an older form that the original xcluster reads. */
export const ipv4Base: Kind<string> = {
  expects:
    'an IPv4 network of /8 to /31 of unicast addresses such as 172.30.0.0/24, or its first two bytes such as 172.30',
  read(value) {
    const [, address = '', length = ''] = /^([\d.]+?)(?:\/(\d+))?$/.exec(String(value)) ?? []
    const known =
      length === '' ? isAddress(`${address}.0.0`) : isAddress(address) && whole(8, 31).read(length)
    const first = Number.parseInt(address, 10)
    return known && first > 0 && first < 224 && first !== 127 ? String(value) : undefined
  },
  print: value => value,
}

/** A topology's name or file, or the topology itself, as it was read from one. */
export const topology: Kind<string | Topology> = {
  expects: 'a topology: its name, its file, or what was read from one',
  read: value => (isTopology(value) ? value : text.read(value)),
  print: value => (typeof value === 'string' ? value : (value.file ?? value.name)),
}

/** True for an object that has all parts of a topology. What they hold was checked when it was read. */
function isTopology(value: unknown): value is Topology {
  const { name, nets, setup, routers, testers } = Object(value) as Partial<Record<keyof Topology, unknown>>
  const counts = [routers, testers]
  return (
    typeof name === 'string' &&
    [nets, setup].every(Array.isArray) &&
    counts.every(count => Object(count) === count)
  )
}

/** Addresses by net and node: the bits between the two lengths are the net, those after them the node. Empty: none. */
export const addressTemplate: Kind<string> = {
  expects: 'a template such as 169.254.0.0/20/24: an IPv4 network, its length (8 to 24), and the length 24',
  read: value => (typeof value === 'string' && (value === '' || isTemplate(value)) ? value : undefined),
  print: value => value,
}

/** The text right before an IPv4 address: `fd00:1723::`. */
export const ipv6Prefix: Kind<string> = {
  expects: `an IPv6 prefix such as fd00:1723:: (PREFIX192.168.0.1 must be ${unicast})`,
  read: value => (typeof value === 'string' && isUnicast6(`${value}192.168.0.1`) ? value : undefined),
  print: value => value,
}

/** The name servers that the DNS forwarder asks. */
export const nameServers: Kind<string> = {
  expects: 'on (resolv.conf), off, or name servers such as 192.0.2.1,[2001:db8::1]:5353,tls://192.0.2.1#name',
  read: value =>
    typeof value === 'string' && (/^(on|off)$/.test(value) || servers(value)) ? value : undefined,
  print: value => value,
}

function servers(list: string): boolean {
  return list.split(',').every(isNameServer)
}

/** True for `192.0.2.1`, `[2001:db8::1]:5353`, `fe80::1%eth0`, `tls://192.0.2.1#name`, `https://192.0.2.1/path#name`. */
export function isNameServer(written: string): boolean {
  const secure = /^(?:tls:\/\/([^/#]+)|https:\/\/([^/#]+)(?:\/[!-"$-~]*)?)(?:#[\w.-]{1,253})?$/.exec(written)
  const text = secure ? (secure[1] ?? secure[2]!) : written
  const [, bracketed, plain, port = '53'] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(text) ?? []
  const [address = ''] = (bracketed ?? plain ?? text).split('%')
  return isAddress(address) && Number(port) > 0 && Number(port) <= 0xffff
}

/** A name and its address. `*.domain` stands for every name below the domain. */
export interface SpoofedName {
  readonly name: string
  readonly address: string
}

/**
 * `registry.example.org=192.168.0.250,*.example.net=::1`. A name can occur several times, with an address
 * each.
 */
export const spoofedNames: Kind<readonly SpoofedName[]> = {
  expects: 'a list of names with addresses, such as registry.example.org=192.168.0.250,*.example.net=fd00::1',
  read(value) {
    const parts = value === '' ? [] : typeof value === 'string' ? value.split(',').map(pair) : value
    if (!Array.isArray(parts)) return undefined
    return parts.every(isSpoofed) ? parts.map(({ name, address }) => ({ name, address })) : undefined
  },
  print: value => value.map(({ name, address }) => `${name}=${address}`).join(','),
}

function pair(text: string): { name: string; address: string } {
  const [name = '', address = ''] = text.split('=')
  return { name, address }
}

function isSpoofed(value: Partial<SpoofedName> | null): boolean {
  const { name, address } = value ?? {}
  const labels = typeof name === 'string' && name.length <= 253 ? name.replace(/^\*\./, '').split('.') : ['']
  return (
    labels.every(label => /^[\w-]{1,63}$/.test(label)) && typeof address === 'string' && isAddress(address)
  )
}
