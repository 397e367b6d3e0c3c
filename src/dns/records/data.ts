import { addressBytes, isAddress } from '../../base/index.ts'
import { nameBytes } from '../wire/name.ts'

/** Reads the data of a record as a zone file has it (RFC 1035 §5.1); undefined when it is not valid. */
export type DataParser = (text: string) => Uint8Array | undefined

/** How the data of a type is read, and an example of it. */
export interface DataForm {
  readonly read: DataParser
  readonly example: string
}

const u16 = (value: number): number[] => [value >> 8, value & 0xff]

const address =
  (size: number): DataParser =>
  text => {
    const bytes = isAddress(text) ? addressBytes(text) : undefined
    return bytes?.length === size ? bytes : undefined
  }

const domain: DataParser = text => (/^\S+$/.test(text) ? nameBytes(text) : undefined)

/** So many numbers of 16 bits, then a name. */
const numbersAndName =
  (count: number): DataParser =>
  text => {
    const words = text.split(/\s+/)
    const numbers = words.slice(0, count).map(word => (/^\d{1,5}$/.test(word) ? Number(word) : Number.NaN))
    const name = domain(words.slice(count).join(' '))
    if (!name || numbers.length < count || !numbers.every(number => number <= 0xffff)) return undefined
    return Uint8Array.from([...numbers.flatMap(u16), ...name])
  }

const longestString = 255

/**
 * Strings in quotes, `"v=spf1" "-all"`, with `\"`, `\\` and `\000`–`\255`. Text that does not begin with a quote is
 * one string. A string of more than 255 bytes becomes several, which programs join again.
 */
const strings: DataParser = text => {
  const found = text.startsWith('"') ? quoted(text) : [Buffer.from(text)]
  if (!found) return undefined
  const pieces = found.flatMap(each =>
    Array.from({ length: Math.max(1, Math.ceil(each.length / longestString)) }, (_, i) =>
      each.subarray(i * longestString, (i + 1) * longestString),
    ),
  )
  return Buffer.concat(pieces.flatMap(piece => [Buffer.of(piece.length), piece]))
}

function quoted(text: string): Buffer[] | undefined {
  const pattern = /\s*"((?:[^"\\]|\\[\s\S])*)"/y
  const found: Buffer[] = []
  while (pattern.lastIndex < text.length) {
    const match = pattern.exec(text)
    if (!match) return undefined
    found.push(unescaped(match[1]!))
  }
  return found
}

function unescaped(text: string): Buffer {
  const parts = text.split(/(\\\d{3}|\\[\s\S])/)
  return Buffer.concat(
    parts.map(part => {
      if (!part.startsWith('\\')) return Buffer.from(part)
      return part.length === 4 ? Buffer.of(Number(part.slice(1)) & 0xff) : Buffer.from(part.slice(1))
    }),
  )
}

/** `0 issue "ca.example"` (RFC 8659 §4.1.1). */
const authorization: DataParser = text => {
  const [, flags, tag, value] = /^(\d{1,3})\s+([a-z0-9]{1,15})\s+"?([^"]*)"?$/i.exec(text) ?? []
  if (!tag || Number(flags) > 0xff) return undefined
  return Buffer.concat([Buffer.of(Number(flags), tag.length), Buffer.from(tag), Buffer.from(value ?? '')])
}

/** `\# 4 0a000001`, for any type (RFC 3597 §5). */
export const anyData: DataParser = text => {
  const [, size, digits = ''] = /^\\#\s+(\d{1,5})((?:\s+[0-9a-f]+)*)$/i.exec(text) ?? []
  const hex = digits.replace(/\s+/g, '')
  return size !== undefined && hex.length === 2 * Number(size) ? Buffer.from(hex, 'hex') : undefined
}

/** The types whose data has a form of its own here. */
export const dataForms: Readonly<Record<string, DataForm>> = {
  A: { read: address(4), example: '192.0.2.1' },
  AAAA: { read: address(16), example: '2001:db8::1' },
  CNAME: { read: domain, example: 'www.example.org' },
  PTR: { read: domain, example: 'www.example.org' },
  NS: { read: domain, example: 'ns.example.org' },
  MX: { read: numbersAndName(1), example: '10 mail.example.org' },
  SRV: { read: numbersAndName(3), example: '0 5 80 www.example.org' },
  TXT: { read: strings, example: 'v=spf1 -all' },
  CAA: { read: authorization, example: '0 issue "ca.example.org"' },
}
