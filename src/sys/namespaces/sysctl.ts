import { constants, readFileSync } from 'node:fs'
import { binding } from '../binding.ts'
import { closeFd } from '../descriptor.ts'
import { attempt, isSyscallFailure, refused, SysError } from '../errors.ts'
import { indexOf, type NetNamespace, namespaceFd, openInNamespace } from './namespace.ts'

/** Reads a sysctl of the namespace: `net/ipv4/ip_forward` → `1`. Equivalent: `sysctl -n net.ipv4.ip_forward`. */
export function readSysctl(namespace: NetNamespace | undefined, name: string): string {
  const fd = openInNamespace(namespace, pathOf(name), constants.O_RDONLY)
  try {
    return attempt('read sysctl', name, () => readFileSync(fd, 'latin1')).replace(/\n$/, '')
  } finally {
    closeFd(fd)
  }
}

/** Sets a sysctl of the namespace. Equivalent: `sysctl -w net.ipv4.ip_forward=1`. */
export function writeSysctl(namespace: NetNamespace | undefined, name: string, value: string): void {
  writeSysctls(namespace, [name], value)
}

/** Sets sysctls to the same value, one after the other, with one entry into the namespace. */
export function writeSysctls(
  namespace: NetNamespace | undefined,
  names: readonly string[],
  value: string,
): void {
  const paths = names.map(pathOf)
  try {
    binding().writeIn(namespaceFd(namespace), paths, value)
  } catch (thrown) {
    if (!isSyscallFailure(thrown)) throw thrown
    throw refused('write sysctl', `${names[indexOf(thrown)]} = ${value}`, thrown)
  }
}

/** Only names below net/ belong to a network namespace. All others are the whole machine's. */
function pathOf(name: string): string {
  // Not `..`, nor a directory, nor a name that C would cut. A part can be the name of an interface.
  const outside = name.includes('//') || name.includes('/.') || name.includes('\0')
  if (name.startsWith('net/') && !outside && !name.endsWith('/')) return `/proc/sys/${name}`
  const reason = 'the sysctl of a network namespace has the form net/ipv4/ip_forward'
  throw new SysError({ code: 'BAD_SYSCTL', kind: 'usage', op: 'open sysctl', target: name, reason })
}
