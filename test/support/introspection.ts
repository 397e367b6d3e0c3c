import type { Members, Ref, Schema } from '../../scripts/qmp/schema.js'
import type { Qapi } from '../../src/qmp/index.ts'

type Entry = Qapi.SchemaInfo

/** QAPI's own types, as JSON has them (qemu `scripts/qapi/introspect.py`). */
const jsonTypes: Readonly<Record<string, string>> = {
  str: 'string',
  bool: 'boolean',
  number: 'number',
  any: 'value',
  null: 'null',
}

/**
 * What a running QEMU says of itself (`query-qmp-schema`) against a stored schema. QEMU masks the names of types, has one
 * type for all integers, and leaves out what its build lacks: a schema may have more than it, but nothing else.
 */
export class Introspection {
  readonly #entries: ReadonlyMap<string, Entry>
  readonly #schema: Schema
  readonly #seen = new Set<string>()
  readonly differences: string[] = []

  constructor(entries: readonly Entry[], schema: Schema) {
    this.#entries = new Map(entries.map(entry => [entry.name, entry]))
    this.#schema = schema
  }

  /** Compares all commands and events. Returns how many there were. */
  compare(): number {
    const tops = [...this.#entries.values()].filter(entry => /command|event/.test(entry['meta-type']))
    for (const entry of tops) {
      if (entry['meta-type'] === 'command') this.#command(entry)
      else if (entry['meta-type'] === 'event')
        this.#data(entry.name, this.#schema.events[entry.name], entry['arg-type'])
    }
    return tops.length
  }

  #command(entry: Entry & { readonly 'meta-type': 'command' }): void {
    const command = this.#schema.commands[entry.name]
    this.#data(entry.name, command, entry['arg-type'])
    const returns = command?.returns
    const result = this.#entries.get(entry['ret-type'])
    if (returns) this.#type(command.list ? [returns] : returns, entry['ret-type'], `${entry.name} returns`)
    else if (result?.['meta-type'] !== 'object' || result.members.length > 0)
      this.differences.push(`${entry.name} returns something`)
  }

  #data(name: string, mine: { readonly data?: string | Members } | undefined, type: string): void {
    if (mine === undefined) this.differences.push(`${name} is missing`)
    else if (typeof mine.data === 'string') this.#type(mine.data, type, name)
    else this.#members(mine.data ?? {}, this.#entries.get(type), name)
  }

  #type(ref: Ref, name: string, at: string): void {
    const entry = this.#entries.get(name)
    const key = `${JSON.stringify(ref)} ${name}`
    if (this.#seen.has(key)) return
    this.#seen.add(key)
    if (entry?.['meta-type'] === 'array') {
      if (typeof ref === 'string') this.differences.push(`${at} is a list`)
      else this.#type(ref[0], entry['element-type'], `${at}[]`)
    } else if (typeof ref !== 'string') this.differences.push(`${at} is one value`)
    else if (entry?.['meta-type'] === 'builtin') this.#builtin(ref, entry['json-type'], at)
    else this.#named(ref, entry, at)
  }

  #builtin(ref: string, json: string, at: string): void {
    const mine = /^u?int\d*$|^size$/.test(ref) ? 'int' : jsonTypes[ref]
    if (mine !== json) this.differences.push(`${at} is ${json}, not ${ref}`)
  }

  #named(ref: string, entry: Entry | undefined, at: string): void {
    const mine = this.#schema.types[ref]
    if (entry?.['meta-type'] === 'enum') {
      const lacking = entry.values.filter(value => !mine?.values?.includes(value))
      if (lacking.length > 0) this.differences.push(`${at}: ${ref} lacks ${lacking}`)
    } else if (entry?.['meta-type'] === 'alternate') {
      if (mine?.alternatives?.length !== entry.members.length)
        this.differences.push(`${at}: ${ref} has other alternatives`)
    } else if (mine?.members === undefined) this.differences.push(`${at}: ${ref} is an object`)
    else {
      this.#members(mine.members, entry, at)
      this.#variants(ref, entry, at)
    }
  }

  #members(mine: Members, entry: Entry | undefined, at: string): void {
    if (entry?.['meta-type'] !== 'object') return void this.differences.push(`${at} is not an object`)
    for (const { name, type, ...rest } of entry.members) {
      const member = mine[name]
      if (!member) this.differences.push(`${at}.${name} is missing`)
      else if ((member.optional ?? false) !== 'default' in rest)
        this.differences.push(`${at}.${name}: optional?`)
      else this.#type(member.type, type, `${at}.${name}`)
    }
  }

  #variants(ref: string, entry: Entry | undefined, at: string): void {
    if (entry?.['meta-type'] !== 'object' || entry.variants === undefined) return
    const { tag, branches = {} } = this.#schema.types[ref] ?? {}
    if (tag !== entry.tag) this.differences.push(`${at}: the tag of ${ref} is ${entry.tag}`)
    for (const { case: value, type } of entry.variants) {
      const branch = branches[value]
      if (branch) this.#type(branch, type, `${at}(${value})`)
      else this.#members({}, this.#entries.get(type), `${at}(${value})`)
    }
  }
}
