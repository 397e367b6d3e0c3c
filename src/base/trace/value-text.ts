import { printable } from '../printable.ts'

/** Longer strings, bytes and lists are cut, and their length is printed. */
const limits = { characters: 512, bytes: 32, items: 128, depth: 10 } as const

const bare = /^[\w.:/@%+*|-]+$/
const meansSomethingElse = /^(true|false|null|undefined|NaN|-?Infinity)$/

/** A value on one line, in YAML's flow style: `{name: xcbr0, mac: 00:00:00:01:00:fa, mtu: 1500}`. */
export function valueText(value: unknown, depth = 0): string {
  if (typeof value === 'string') return stringText(value)
  if (typeof value !== 'object' || value === null) return String(value)
  if (value instanceof Uint8Array) return bytesText(value)
  if (value instanceof Error) return stringText(value.message)
  if (depth > limits.depth) return '…'
  return Array.isArray(value) ? listText(value, depth) : recordText(value, depth)
}

function stringText(text: string): string {
  const isBare = bare.test(text) && !meansSomethingElse.test(text) && Number.isNaN(Number(text))
  if (isBare && text.length <= limits.characters) return text
  const kept = printable(text.slice(0, limits.characters).replace(/[\\"]/g, '\\$&'))
  return text.length > limits.characters ? `"${kept}…" (${text.length} characters)` : `"${kept}"`
}

function bytesText(bytes: Uint8Array): string {
  if (bytes.length === 0) return '(0 bytes)'
  const kept = Buffer.from(bytes.subarray(0, limits.bytes)).toString('hex')
  return bytes.length > limits.bytes ? `0x${kept}… (${bytes.length} bytes)` : `0x${kept}`
}

function listText(values: readonly unknown[], depth: number): string {
  const kept = values.slice(0, limits.items).map(value => valueText(value, depth + 1))
  const more = values.length - kept.length
  return `[${[...kept, ...(more > 0 ? [`… ${more} more`] : [])].join(', ')}]`
}

function recordText(record: object, depth: number): string {
  const entries = Object.entries(record).filter(([, value]) => value !== undefined)
  const kept = entries.slice(0, limits.items)
  const more = entries.length - kept.length
  const texts = kept.map(([name, value]) => `${stringText(name)}: ${valueText(value, depth + 1)}`)
  return `{${[...texts, ...(more > 0 ? [`… ${more} more`] : [])].join(', ')}}`
}
