import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** The zone of all queries: `h0` … with an address each, and any name below `miss`. */
export const zone = 'bench.xcluster'
export const names = 10_000

export const nameOf = (i: number) => `h${i}.${zone}`
/** What the name must resolve to. */
export const addressOf = (i: number) => `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`
export const missOf = (label: string, i: number) => `n${label}-${i}.miss.${zone}`
export const missAddress = '10.255.0.1'

export function writeZone(directory: string): string {
  const file = join(directory, 'zone')
  const hosts = Array.from({ length: names }, (_, i) => `h${i} A ${addressOf(i)}`)
  const head = [
    '$TTL 3600',
    `$ORIGIN ${zone}.`,
    '@ SOA ns root 1 3600 600 86400 60',
    '@ NS ns',
    'ns A 10.255.255.255',
  ]
  writeFileSync(file, `${[...head, ...hosts, `*.miss A ${missAddress}`].join('\n')}\n`)
  return file
}

/** A file of queries for dnsperf: `count` of the first `among` names, in a fixed order. */
export function writeQuestions(directory: string, among: number, count: number): string {
  const file = join(directory, `among-${among}`)
  let state = 1
  const lines = Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return `${nameOf((state >>> 8) % among)} A`
  })
  writeFileSync(file, `${lines.join('\n')}\n`)
  return file
}

/** Each of the first `among` names once. */
export function writeAll(directory: string, among: number): string {
  const file = join(directory, `all-${among}`)
  writeFileSync(file, Array.from({ length: among }, (_, i) => `${nameOf(i)} A\n`).join(''))
  return file
}

/** Names that no query had before. */
export function writeMisses(directory: string, label: string, count: number): string {
  const file = join(directory, `miss-${label}`)
  writeFileSync(file, Array.from({ length: count }, (_, i) => `${missOf(label, i)} A\n`).join(''))
  return file
}
