import { closeSync, constants, readFileSync, writeSync } from 'node:fs'
import { attempt, SysError } from '../errors.ts'
import { type NetNamespace, openInNamespace } from './namespace.ts'

/** Reads a sysctl of the namespace: `net/ipv4/ip_forward` → `1`. Equivalent: `sysctl -n net.ipv4.ip_forward`. */
export function readSysctl(namespace: NetNamespace | undefined, name: string): string {
  const fd = openSysctl(namespace, name, constants.O_RDONLY)
  try {
    return attempt('read sysctl', name, () => readFileSync(fd, 'latin1')).replace(/\n$/, '')
  } finally {
    closeSync(fd)
  }
}

/** Sets a sysctl of the namespace. Equivalent: `sysctl -w net.ipv4.ip_forward=1`. */
export function writeSysctl(namespace: NetNamespace | undefined, name: string, value: string): void {
  const fd = openSysctl(namespace, name, constants.O_WRONLY)
  try {
    attempt('write sysctl', `${name} = ${value}`, () => writeSync(fd, value))
  } finally {
    closeSync(fd)
  }
}

/** Only names below net/ belong to a network namespace. All others are the whole machine's. */
function openSysctl(namespace: NetNamespace | undefined, name: string, flags: number): number {
  if (/^net(\/[\w:@-][\w.:@-]*)+$/.test(name)) return openInNamespace(namespace, `/proc/sys/${name}`, flags)
  const reason = 'the sysctl of a network namespace has the form net/ipv4/ip_forward'
  throw new SysError({ code: 'BAD_SYSCTL', kind: 'usage', op: 'open sysctl', target: name, reason })
}
