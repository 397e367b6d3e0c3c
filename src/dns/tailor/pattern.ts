import { addressBytes, isAddress, parseCidr } from '../../base/index.ts'
import { ancestry, nameBytes, nameKey } from '../wire/name.ts'
import { matcher, type NetMatcher, unmapped } from '../wire/prefixes.ts'

/** Tells whether a pattern fits a name, by its key. */
export type NamePattern = (key: string) => boolean

/** `www.example.org`; `*.example.org` for everything below it; `*` for all names. Undefined for other text. */
export function namePattern(text: string): NamePattern | undefined {
  if (text === '*') return () => true
  const wild = text.startsWith('*.')
  const bytes = /^[!-)+-~]+$/.test(wild ? text.slice(2) : text)
    ? nameBytes(wild ? text.slice(2) : text)
    : undefined
  if (!bytes) return undefined
  const wanted = nameKey(bytes)
  if (!wild) return key => key === wanted
  return key => {
    if (key === wanted) return false
    for (const ancestor of ancestry(key)) if (ancestor === wanted) return true
    return false
  }
}

/** Tells whether an asker is in any of these networks, `192.168.0.0/24`, or is one of these addresses. */
export function askerPattern(nets: readonly string[]): (address: string) => boolean {
  const matchers: NetMatcher[] = nets.map(net => matcher(netOf(net)))
  return address => {
    const plain = address.split('%')[0]!
    const bytes = isAddress(plain) ? unmapped(addressBytes(plain)) : undefined
    return bytes !== undefined && matchers.some(matches => matches(bytes))
  }
}

/** True for an address or a network. */
export function isNet(text: string): boolean {
  try {
    parseCidr(netOf(text))
    return true
  } catch {
    return false
  }
}

function netOf(text: string): string {
  if (text.includes('/') || !isAddress(text)) return text
  return `${text}/${text.includes(':') ? 128 : 32}`
}
