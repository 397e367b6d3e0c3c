// @ts-check
import { inOrder } from './schema.js'

/**
 * @typedef {import('./schema.js').Schema} Schema
 * @typedef {import('./schema.js').Ref} Ref
 * @typedef {import('./schema.js').Members} Members
 *
 * A definition as the manual has it.
 * @typedef {object} Entry
 * @property {string} kind
 * @property {string} name
 * @property {Members} members
 * @property {string[]} values
 * @property {string} [base] the type whose members it has too
 * @property {string} [tag]
 * @property {Record<string, string>} branches
 * @property {Ref} [returns]
 * @property {string[]} features
 */

const bold = '\\\\fB([^\\\\]+)\\\\fP'
const patterns = {
  entry: /^\.B (Object|Enum|Command|Event|Alternate) (\S+)/,
  section: /^\.B (\w+)$/,
  member: new RegExp(`^${bold} \\((.*?)(, \\\\fIoptional\\\\fP)?\\) --`),
  branch: new RegExp(`^When ${bold} is ${bold}: The members of ${bold}`),
  base: new RegExp(`^The members of ${bold}`),
  value: new RegExp(`^${bold} --`),
  returns: /^(\\fB\[\\fP.*\\fB\]\\fP|\\fB[^\\]+\\fP)/,
}

/** What the manual calls types that JSON has. All integers are `int`. */
const plain = new Map([
  ['string', 'str'],
  ['boolean', 'bool'],
  ['value', 'any'],
])

/**
 * The schema in QEMU's manual, qemu-qmp-ref(7) as QEMU 10.1 and later make it. It does not tell how wide an integer is,
 * nor what takes further arguments: where an older schema has the same member or command, that tells.
 * @param {string} text
 * @param {Schema} older
 * @returns {Schema}
 */
export function schemaOfManual(text, older) {
  /** @type {Schema} */
  const all = { types: {}, commands: {}, events: {} }
  const entries = entriesOf(
    text.replaceAll('\\-', '-').replaceAll('\\&', '').replaceAll(' .INDENT', '\n.INDENT'),
  )
  const named = new Map(entries.map(entry => [entry.name, entry]))
  for (const entry of entries) {
    const { kind, name } = entry
    if (kind === 'Command') all.commands[name] = commandOf(entry, older)
    else if (kind === 'Event')
      all.events[name] = { ...dataOf(entry, older.events[name]?.data), ...featuresOf(entry) }
    else all.types[name] = typeOf({ ...entry, members: membersOf(entry, named) }, older)
  }
  return inOrder(all)
}

/** @param {string} text @returns {Entry[]} */
function entriesOf(text) {
  /** @type {Entry[]} */
  const entries = []
  let section = ''
  let depth = 0
  let itemDepth = 0
  const lines = text.split('\n')
  for (const [at, line] of lines.entries()) {
    if (line.startsWith('.INDENT')) depth++
    else if (line.startsWith('.UNINDENT')) depth--
    const [, kind, name] = patterns.entry.exec(line) ?? []
    const [, heading] = patterns.section.exec(line) ?? []
    if (kind && name) {
      entries.push({ kind, name, members: {}, values: [], branches: {}, features: [] })
      section = ''
    } else if (heading) {
      section = heading
      itemDepth = depth + 1
    }
    const entry = entries.at(-1)
    if (!entry) continue
    const next = lines[at + 1] ?? ''
    if (heading === 'Return') entry.returns = refOf(patterns.returns.exec(next)?.[1] ?? '')
    else if (line.startsWith('.IP \\(bu') && depth === itemDepth) takeItem(entry, section, next)
  }
  return entries
}

/** @param {Entry} entry @param {string} section @param {string} line */
function takeItem(entry, section, line) {
  const [, tag, value, type] = patterns.branch.exec(line) ?? []
  const [, name, kind, optional] = patterns.member.exec(line) ?? []
  if (section === 'Values') entry.values.push(String(patterns.value.exec(line)?.[1]))
  else if (section === 'Features') entry.features.push(String(patterns.value.exec(line)?.[1]))
  else if (!['Members', 'Arguments', 'Alternatives'].includes(section)) return
  else if (tag && value && type) {
    entry.tag = tag
    entry.branches[value] = type
  } else if (name && kind)
    entry.members[name] = { type: refOf(kind), ...(optional && { optional: /** @type {const} */ (true) }) }
  else entry.base = String(patterns.base.exec(line)?.[1])
}

/** @param {string} text with marks for bold letters @returns {Ref} */
function refOf(text) {
  const name = text.replace(/\\f[BP]/g, '')
  const list = /^\[(.*)\]$/.exec(name)
  const one = list?.[1] ?? name
  const type = plain.get(one) ?? one
  return list ? [type] : type
}

/** @param {Entry} entry @param {Schema} older @returns {Schema['commands'][string]} */
function commandOf(entry, older) {
  const before = older.commands[entry.name]
  const [returns, list] = Array.isArray(entry.returns) ? [entry.returns[0], true] : [entry.returns, false]
  return {
    ...dataOf(entry, before?.data),
    ...(returns && { returns: returns === 'int' && before?.returns ? before.returns : returns }),
    ...(list && { list: /** @type {const} */ (true) }),
    ...(before?.open && { open: before.open }),
    ...(before?.silent && { silent: before.silent }),
    ...featuresOf(entry),
  }
}

/** @param {Entry} entry @param {string | Members} [before] @returns {{ data?: string | Members }} */
function dataOf({ base, members }, before) {
  if (base) return { data: base }
  if (Object.keys(members).length === 0) return {}
  return { data: withWidths(members, typeof before === 'string' ? {} : before) }
}

/** @param {Entry} entry */
function featuresOf({ features }) {
  const told = features.filter(name => name === 'deprecated' || name === 'unstable')
  return told.length > 0 ? { features: told } : {}
}

/** @param {Entry} entry @param {Schema} older @returns {Schema['types'][string]} */
function typeOf({ kind, name, members, values, tag, branches }, older) {
  const before = older.types[name]
  const file = before?.file ?? 'qapi'
  if (kind === 'Enum') return { file, values }
  if (kind === 'Alternate') return { file, alternatives: Object.values(members).map(({ type }) => type) }
  const all = withWidths(members, before?.members)
  return tag === undefined ? { file, members: all } : { file, members: all, tag, branches }
}

/** With those of its bases. @param {Entry} entry @param {Map<string, Entry>} named @returns {Members} */
function membersOf({ base = '', members }, named) {
  const below = named.get(base)
  return { ...(below && membersOf(below, named)), ...members }
}

/** @param {Members} members @param {Members} [before] @returns {Members} */
function withWidths(members, before = {}) {
  return Object.fromEntries(
    Object.entries(members).map(([name, member]) => {
      const { type, features } = before[name] ?? {}
      const isInteger = String(member.type) === 'int' && /^u?int\d*$|^size$/.test(String(type))
      return [name, { ...member, ...(isInteger && type && { type }), ...(features && { features }) }]
    }),
  )
}
