// @ts-check
import { readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/**
 * One definition of a QAPI schema, as it is written there.
 * @typedef {Record<string, any>} Expression
 */

/**
 * The definitions of a QAPI schema. Its syntax is JSON with single quotes, comments, and nothing between the definitions
 * (qemu `docs/devel/qapi-code-gen.rst`).
 * @param {string} text
 * @returns {Expression[]}
 */
export function parseQapi(text) {
  const json = text.replace(/'[^'\n]*'|#.*/g, found => (found[0] === '#' ? '' : `"${found.slice(1, -1)}"`))
  /** @type {Expression[]} */
  const found = []
  let depth = 0
  let start = 0
  for (let at = 0; at < json.length; at++) {
    if (json[at] === '{' && depth++ === 0) start = at
    else if (json[at] === '}' && --depth === 0) found.push(JSON.parse(json.slice(start, at + 1)))
  }
  if (depth !== 0) throw new SyntaxError('the schema ends within a definition')
  return found
}

/**
 * The definitions of a schema file and of those that it includes, each with the name of its file.
 * @param {string} path
 * @param {Set<string>} [seen]
 * @returns {Expression[]}
 */
export function readQapi(path, seen = new Set()) {
  if (seen.has(path)) return []
  seen.add(path)
  const file = join(basename(dirname(path)), basename(path))
  return parseQapi(readFileSync(path, 'utf8')).flatMap(expression =>
    typeof expression.include === 'string'
      ? readQapi(join(dirname(path), expression.include), seen)
      : [{ ...expression, file }],
  )
}
