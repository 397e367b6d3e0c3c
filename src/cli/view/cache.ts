import type { CachedTemplate } from '../../vm/index.ts'
import { table } from './table.ts'

/** A table of templates, with enough of each key to select it, and with ages instead of times. */
export function cacheTable(templates: readonly CachedTemplate[], now: number): string {
  const rows = templates.map(({ key, bytes, usedAt, shape }) => [
    key.slice(0, 12),
    shape ? `${shape.memoryMiB} MiB, ${shape.nicCount} NICs` : 'damaged: rebuilt when needed',
    shape ? shape.qemu : '',
    bytesText(bytes),
    shape ? ago(now - shape.madeAt) : '',
    ago(now - usedAt),
  ])
  const total = templates.reduce((sum, { bytes }) => sum + bytes, 0)
  return `${table(['key', 'vm', 'qemu', 'size', 'made', 'used'], rows)}${bytesText(total)} in total\n`
}

/** Whole MiB, rounded up, so that no template has 0. */
export function bytesText(bytes: number): string {
  return `${Math.ceil(bytes / (1 << 20))} MiB`
}

const units = [
  ['day', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
] as const

/** `3 min ago`. */
export function ago(ms: number): string {
  const unit = units.find(([, size]) => ms >= size)
  if (!unit) return 'just now'
  const number = Math.floor(ms / unit[1])
  return `${number} ${unit[0]}${unit[0] === 'day' && number > 1 ? 's' : ''} ago`
}
