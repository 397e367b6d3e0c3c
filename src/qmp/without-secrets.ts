/**
 * What programs in a guest are given and say, files of guests, passwords (qemu `qga/qapi-schema.json`,
 * `qapi/ui.json`); `data` of an object that is a secret (`qapi/crypto.json`).
 */
const secret = /^(input-data|out-data|err-data|buf-b64|password)$/

/** Deeper than any message we know; a hostile peer could nest until our stack ends. */
const deepest = 32

/** The same value as JSON can have it, with the size of each secret in its place, for traces. A bigint is its digits. */
export function withoutSecrets(value: unknown, depth = 0): unknown {
  if (typeof value === 'bigint') return String(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth > deepest) return '…'
  if (Array.isArray(value)) return value.map(each => withoutSecrets(each, depth + 1))
  const isSecret = /^secret/.test(String((value as Record<string, unknown>)['qom-type']))
  const entries = Object.entries(value).map(([name, field]) => {
    if (secret.test(name) || (isSecret && name === 'data')) return [name, withheld(field)]
    if (name === 'env' && Array.isArray(field)) return [name, field.map(namesOnly)]
    return [name, withoutSecrets(field, depth + 1)]
  })
  return Object.fromEntries(entries)
}

function withheld(value: unknown): string {
  return typeof value === 'string' ? `${value.length} characters, not shown` : 'not shown'
}

/** `TOKEN=…`: the environment of a program. */
function namesOnly(assignment: unknown): string {
  return typeof assignment === 'string' ? assignment.replace(/=.*/s, '=…') : 'not shown'
}
