import { resolve } from 'node:path'
import type { SettingOptions } from './settings.ts'

type Given = Readonly<Record<string, unknown>>

/** Settings that are paths, for the cluster, a role or a node. */
const path =
  /^(kernel|modules|rootfs|image|cidata)(Vm|Router|Tester|\d+)?$|^(dnsHosts|dnsLog|dnsUpstreamCa|cdrom|sshKey)$/
/** Settings that are names to be found elsewhere, unless they have a slash: then they are paths. */
const pathOrName = /^(kvm|netSetup|ovl|xovls)$/

/** The settings with their paths made absolute: relative ones are below `directory`. */
export function withPathsFrom<T extends SettingOptions>(directory: string, all: T): T {
  const changed = Object.entries(all as Given).map(
    ([key, value]) => [key, pathsIn(key, value, directory)] as const,
  )
  return Object.fromEntries(changed) as T
}

function pathsIn(key: string, value: unknown, directory: string): unknown {
  const absolute = (text: string) => (text === '' ? '' : resolve(directory, text))
  const found = (text: string) => (text.includes('/') ? absolute(text) : text)
  if (key === 'ovlPath') return mapped(value, absolute, ':')
  if (path.test(key)) return mapped(value, absolute)
  return pathOrName.test(key) ? mapped(value, found, ',') : value
}

/** Text is read as on the command line, where a list has separators. */
function mapped(value: unknown, change: (text: string) => string, separator?: string): unknown {
  if (Array.isArray(value)) return value.map(each => (typeof each === 'string' ? change(each) : each))
  if (typeof value !== 'string') return value
  return separator === undefined ? change(value) : value.split(separator).map(change).join(separator)
}
