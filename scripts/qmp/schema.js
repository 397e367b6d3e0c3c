// @ts-check

/**
 * The name of a type, or of the type of each element of a list.
 * @typedef {string | [string]} Ref
 *
 * @typedef {object} Member
 * @property {Ref} type
 * @property {true} [optional]
 * @property {readonly string[]} [features] such as `deprecated`
 *
 * @typedef {Record<string, Member>} Members
 *
 * An enumeration (`values`), an object (`members`; with a `tag`, its value adds those of another type: `branches`), or
 * one of several types (`alternatives`).
 * @typedef {object} TypeDefinition
 * @property {string} file of QEMU's sources
 * @property {readonly string[]} [values]
 * @property {Members} [members]
 * @property {string} [tag]
 * @property {Record<string, string>} [branches]
 * @property {readonly Ref[]} [alternatives]
 *
 * @typedef {object} CommandDefinition
 * @property {string | Members} [data] its arguments: a type, or their members
 * @property {string} [returns] a type
 * @property {true} [list] it returns a list of them
 * @property {true} [open] it takes any further argument
 * @property {true} [silent] it has no reply when it succeeds
 * @property {readonly string[]} [features]
 *
 * @typedef {object} EventDefinition
 * @property {string | Members} [data]
 * @property {readonly string[]} [features]
 *
 * What a QEMU, or a guest agent, understands.
 * @typedef {object} Schema
 * @property {Record<string, TypeDefinition>} types
 * @property {Record<string, CommandDefinition>} commands
 * @property {Record<string, EventDefinition>} events
 *
 * @typedef {import('./qapi.js').Expression} Expression
 */

/**
 * A schema from its definitions: only what commands and events use, with the members of bases in place, and whatever the
 * build of QEMU: conditions are left out.
 * @param {readonly Expression[]} expressions
 * @returns {Schema}
 */
export function schemaOf(expressions) {
  /** @type {Schema} */
  const all = { types: {}, commands: {}, events: {} }
  const named = new Map(expressions.map(each => [nameOf(each), each]))
  for (const each of expressions) {
    if ('command' in each) all.commands[each.command] = commandOf(each)
    else if ('event' in each) all.events[each.event] = { ...dataOf(each), ...featuresOf(each) }
    else if (nameOf(each) !== undefined) all.types[nameOf(each)] = typeOf(each, named)
  }
  return inOrder(all)
}

/** The same schema, by name, without the types that nothing uses. @param {Schema} schema @returns {Schema} */
export function inOrder(schema) {
  const used = usedTypes(schema)
  return {
    types: sorted(Object.fromEntries(Object.entries(schema.types).filter(([name]) => used.has(name)))),
    commands: sorted(schema.commands),
    events: sorted(schema.events),
  }
}

/** @param {Expression} each */
const nameOf = each => each.enum ?? each.struct ?? each.union ?? each.alternate

/** @param {Expression} each @returns {CommandDefinition} */
function commandOf(each) {
  const [returns, list] = Array.isArray(each.returns) ? [each.returns[0], true] : [each.returns, false]
  return {
    ...dataOf(each),
    ...(returns && { returns }),
    ...(list && { list }),
    ...(each.gen === false && each.data && { open: /** @type {const} */ (true) }),
    ...(each['success-response'] === false && { silent: /** @type {const} */ (true) }),
    ...featuresOf(each),
  }
}

/** @param {Expression} each @returns {{ data?: string | Members }} */
function dataOf({ data }) {
  if (data === undefined) return {}
  return { data: typeof data === 'string' ? data : membersOf(data) }
}

/** @param {Expression} each @returns {{ features?: string[] }} */
function featuresOf({ features = [] }) {
  const names = features.map((/** @type {any} */ each) => each.name ?? each)
  const told = names.filter((/** @type {string} */ name) => name === 'deprecated' || name === 'unstable')
  return told.length > 0 ? { features: told } : {}
}

/**
 * @param {Expression} each
 * @param {Map<string, Expression>} named
 * @returns {TypeDefinition}
 */
function typeOf(each, named) {
  const { file, data } = each
  if (each.enum) return { file, values: data.map((/** @type {any} */ value) => value.name ?? value) }
  if (each.alternate) return { file, alternatives: refs(data) }
  const members = { ...baseOf(each.base, named), ...(each.struct && membersOf(data)) }
  if (each.struct) return { file, members }
  const branches = Object.entries(data).map(([value, type]) => [value, refOf(type)])
  return { file, members, tag: each.discriminator, branches: Object.fromEntries(branches) }
}

/**
 * @param {undefined | string | Record<string, any>} base
 * @param {Map<string, Expression>} named
 * @returns {Members}
 */
function baseOf(base, named) {
  if (base === undefined) return {}
  if (typeof base !== 'string') return membersOf(base)
  const { base: further, data = {} } = named.get(base) ?? {}
  return { ...baseOf(further, named), ...membersOf(data) }
}

/** @param {Record<string, any>} data @returns {Members} */
function membersOf(data) {
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => {
      const optional = key.startsWith('*')
      const member = { type: refOf(value), ...(optional && { optional }), ...featuresOf(value) }
      return [optional ? key.slice(1) : key, /** @type {Member} */ (member)]
    }),
  )
}

/** @param {any} value */
function refOf(value) {
  const type = typeof value === 'object' && 'type' in value ? value.type : value
  return /** @type {Ref} */ (type)
}

/** @param {Record<string, any>} data @returns {Ref[]} */
const refs = data => Object.values(data).map(refOf)

/** The types that commands and events use, directly or not. @param {Schema} schema */
function usedTypes({ types, commands, events }) {
  /** @type {Set<string>} */
  const used = new Set()
  /** @type {string[]} */
  const waiting = [...Object.values(commands), ...Object.values(events)].flatMap(each => [
    ...refsOfData(each.data),
    ...('returns' in each && typeof each.returns === 'string' ? [each.returns] : []),
  ])
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const type = types[name]
    if (used.has(name) || !type) continue
    used.add(name)
    const alternatives = /** @type {string[]} */ ((type.alternatives ?? []).flat())
    waiting.push(...refsOfData(type.members), ...Object.values(type.branches ?? {}), ...alternatives)
  }
  return used
}

/** @param {undefined | string | Members} data @returns {string[]} */
function refsOfData(data = {}) {
  return typeof data === 'string' ? [data] : Object.values(data).flatMap(({ type }) => type)
}

/** @template T @param {Record<string, T>} record @returns {Record<string, T>} */
function sorted(record) {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)))
}
