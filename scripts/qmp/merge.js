// @ts-check

/**
 * @typedef {import('./schema.js').Ref} Ref
 * @typedef {import('./schema.js').Members} Members
 * @typedef {import('./schema.js').Schema} Schema
 * @typedef {import('./schema.js').TypeDefinition} TypeDefinition
 *
 * @typedef {{ version: string, schema: Schema }} Versioned a schema, and whose it is: `7.2`
 *
 * @typedef {object} MergedMember
 * @property {readonly Ref[]} types it is of one of these
 * @property {boolean} optional in one version, or absent from one
 * @property {readonly string[]} features
 * @property {readonly string[]} [only] the versions that have it, when others have the rest
 *
 * @typedef {Record<string, MergedMember>} MergedMembers
 *
 * One shape of a type; most types have one.
 * @typedef {object} Shape
 * @property {readonly string[]} [values]
 * @property {readonly Ref[]} [alternatives]
 * @property {MergedMembers} [members]
 * @property {string} [tag]
 * @property {Record<string, { types: readonly string[], partial: boolean }>} [branches] `partial`: not in all versions
 *
 * @typedef {{ file: string, only?: readonly string[], shapes: readonly Shape[] }} MergedType
 *
 * @typedef {object} MergedCommand
 * @property {readonly (string | MergedMembers)[]} data none: it takes no arguments
 * @property {readonly Ref[]} returns none: nothing
 * @property {boolean} returnsNothing in one version
 * @property {boolean} open
 * @property {boolean} silent
 * @property {readonly string[]} features
 * @property {readonly string[]} [only]
 *
 * @typedef {object} Merged
 * @property {Record<string, MergedType>} types
 * @property {Record<string, MergedCommand>} commands
 * @property {Record<string, MergedCommand>} events
 */

/**
 * What any of these versions understands and says, as one schema. What is not in all of them is optional.
 * @param {readonly Versioned[]} all from the oldest to the newest
 * @returns {Merged}
 */
export function mergeSchemas(all) {
  return {
    types: mergeEach(all, 'types', mergeType),
    commands: mergeEach(all, 'commands', mergeCommand),
    events: mergeEach(all, 'events', mergeCommand),
  }
}

/**
 * @template T, Result
 * @typedef {(found: readonly { version: string, schema: Schema, is: T }[]) => Result} MergeOne
 */

/**
 * @template Result
 * @param {readonly Versioned[]} all
 * @param {'types' | 'commands' | 'events'} part
 * @param {MergeOne<any, Result>} merge
 * @returns {Record<string, Result>}
 */
function mergeEach(all, part, merge) {
  const names = [...new Set(all.flatMap(({ schema }) => Object.keys(schema[part])))].sort()
  return Object.fromEntries(
    names.map(name => {
      const found = all.flatMap(each => {
        const is = each.schema[part][name]
        return is ? [{ ...each, is }] : []
      })
      return [name, { ...merge(found), ...onlyIn(found, all) }]
    }),
  )
}

/** @type {MergeOne<TypeDefinition, MergedType>} */
function mergeType(found) {
  /** @type {Map<string, { version: string, schema: Schema, is: TypeDefinition }[]>} */
  const kinds = new Map()
  for (const each of found) {
    const kind = each.is.values ? 'values' : each.is.alternatives ? 'alternatives' : `tag ${each.is.tag}`
    kinds.set(kind, [...(kinds.get(kind) ?? []), each])
  }
  return {
    file: /** @type {any} */ (found.at(-1)).is.file,
    shapes: [...kinds.values()].map(mergeShape),
  }
}

/** @type {MergeOne<TypeDefinition, Shape>} */
function mergeShape(found) {
  const [first] = found
  if (first?.is.values) return { values: distinct(found.flatMap(({ is }) => is.values ?? [])) }
  if (first?.is.alternatives)
    return { alternatives: distinct(found.flatMap(({ is }) => is.alternatives ?? [])) }
  const members = mergeMembers(found.map(({ version, is }) => ({ version, members: is.members ?? {} })))
  return { members, ...(first?.is.tag && { tag: first.is.tag, branches: mergeBranches(found) }) }
}

/** @type {MergeOne<TypeDefinition, NonNullable<Shape['branches']>>} */
function mergeBranches(found) {
  const values = distinct(found.flatMap(({ is }) => Object.keys(is.branches ?? {})))
  return Object.fromEntries(
    values.map(value => {
      const having = found.filter(({ schema, is }) => valuesOfTag(schema, is).includes(value))
      const types = having.flatMap(({ is }) => is.branches?.[value] ?? [])
      return [value, { types: distinct(types), partial: types.length < having.length }]
    }),
  )
}

/** @param {Schema} schema @param {TypeDefinition} type */
function valuesOfTag(schema, { tag = '', members = {} }) {
  return schema.types[String(members[tag]?.type)]?.values ?? []
}

/**
 * @param {readonly { version: string, members: Members }[]} found
 * @returns {MergedMembers}
 */
function mergeMembers(found) {
  const names = distinct(found.flatMap(({ members }) => Object.keys(members)))
  return Object.fromEntries(
    names.map(name => {
      const having = found.flatMap(({ version, members }) => {
        const is = members[name]
        return is ? [{ version, is }] : []
      })
      return [
        name,
        {
          types: distinct(having.map(({ is }) => is.type)),
          optional: having.length < found.length || having.some(({ is }) => is.optional),
          features: having.at(-1)?.is.features ?? [],
          ...onlyIn(having, found),
        },
      ]
    }),
  )
}

/** @type {MergeOne<import('./schema.js').CommandDefinition, MergedCommand>} */
function mergeCommand(found) {
  const returns = found.flatMap(({ is }) => {
    if (!is.returns) return []
    return [/** @type {Ref} */ (is.list ? [is.returns] : is.returns)]
  })
  return {
    data: mergeData(found),
    returns: distinct(returns),
    returnsNothing: returns.length < found.length,
    open: found.some(({ is }) => is.open),
    silent: found.every(({ is }) => is.silent),
    features: found.at(-1)?.is.features ?? [],
  }
}

/** @type {MergeOne<{ data?: string | Members }, MergedCommand['data']>} */
function mergeData(found) {
  const [name, ...others] = distinct(found.map(({ is }) => is.data))
  if (others.length === 0 && name === undefined) return []
  if (others.length === 0 && typeof name === 'string') return [name]
  const resolved = found.map(({ version, schema, is }) => ({ version, members: inPlace(schema, is.data) }))
  if (resolved.every(({ members }) => members))
    return [mergeMembers(resolved.map(({ version, members = {} }) => ({ version, members })))]
  return found.flatMap(({ version, is: { data } }) => {
    if (data === undefined) return []
    return [typeof data === 'string' ? data : mergeMembers([{ version, members: data }])]
  })
}

/** The members of arguments, unless those depend on a tag. @param {Schema} schema @param {string | Members} [data] */
function inPlace(schema, data = {}) {
  if (typeof data !== 'string') return data
  const type = schema.types[data]
  return type?.tag ? undefined : type?.members
}

/**
 * @param {readonly { version: string }[]} having
 * @param {readonly { version: string }[]} all
 * @returns {{ only?: string[] }}
 */
function onlyIn(having, all) {
  return having.length < all.length ? { only: having.map(({ version }) => version) } : {}
}

/** @template T @param {readonly T[]} values @returns {T[]} */
function distinct(values) {
  return [...new Map(values.map(value => [JSON.stringify(value), value])).values()]
}
