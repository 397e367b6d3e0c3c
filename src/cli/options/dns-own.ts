import { dashed, verbs } from '../../api/index.ts'
import type { Fault, OwnEntry } from '../../dns/index.ts'
import { typedRecords } from '../../plan/index.ts'
import { typedValue } from '../verb-values.ts'
import { badValue } from './dns.ts'

/** Reads `[@ADDR,CIDR] NAME [TTL] TYPE DATA`, several of them separated by semicolons. */
export function recordsOf(texts: readonly string[]): OwnEntry[] {
  return texts.flatMap(text =>
    typedRecords(text).map(record => {
      if (record) return record
      throw badValue('--record', `'${text}' is not [@ADDR,…] NAME [TTL] TYPE DATA`)
    }),
  )
}

/** What a fault may have besides its name and kind, with the askers by address instead of by node. */
const { name: _, fault: __, nodes: ___, ...options } = verbs.dnsFaultAdd.asks
const details = { ...options, askers: { kind: 'text' } } as const
const optionNames = new Map(
  Object.keys(details).map(key => [`--${dashed(key)}`, key as keyof typeof details]),
)

/** Reads `NAME FAULT`, with the options of `xc dns-fault-add` behind them, and `--askers ADDR,CIDR`. */
export function faultsOf(texts: readonly string[]): Fault[] {
  return texts.map(text => {
    const [name, fault, ...words] = text.trim().split(/[\s=]+/)
    if (!name || !fault) throw badValue('--fault', `'${text}' is not NAME FAULT [--probability P …]`)
    const given: Record<string, unknown> = {}
    for (let i = 0; i < words.length; i += 2) {
      const option = words[i]!
      const key = optionNames.get(option)
      if (!key)
        throw badValue('--fault', `'${option}' in '${text}' is not ${[...optionNames.keys()].join(', ')}`)
      const value = typedValue(`--fault ${option}`, { text: words[i + 1] ?? '', parameter: details[key] })
      given[key] = key === 'askers' ? String(value).split(',') : value
    }
    return { name, fault, ...given } as Fault
  })
}
