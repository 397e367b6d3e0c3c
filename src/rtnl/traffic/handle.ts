import * as wire from '../wire/index.ts'
import { settingError } from './units.ts'

/**
 * The number of a queueing discipline or class in the syntax of `tc`, in hexadecimal: `1:` is a qdisc, `1:10`
 * a class of it. As a parent it can be `root`, `ingress` (also the ingress half of clsact) and `egress`
 * (clsact).
 */
export type Handle = string

const words: Readonly<Record<string, number>> = {
  root: wire.TC_H_ROOT,
  ingress: 0xfffffff2,
  egress: 0xfffffff3,
}

/** `1:10` → 0x00010010. */
export function handleNumber(handle: Handle): number {
  if (Object.hasOwn(words, handle)) return words[handle]!
  const [, major, minor = ''] = /^([\da-f]{1,4}):([\da-f]{0,4})$/i.exec(handle) ?? []
  if (major === undefined)
    throw settingError(`'${handle}'`, 'a handle has the form 1: or 1:10, in hexadecimal')
  return Number.parseInt(major, 16) * 0x10000 + (minor === '' ? 0 : Number.parseInt(minor, 16))
}

/** 0x00010010 → `1:10`. */
export function handleText(number: number): Handle {
  if (number === wire.TC_H_INGRESS) return 'ingress'
  const [word] = Object.entries(words).find(([, known]) => known === number) ?? []
  if (word !== undefined) return word
  const [major, minor] = [number >>> 16, number & 0xffff]
  return `${major.toString(16)}:${minor === 0 ? '' : minor.toString(16)}`
}
