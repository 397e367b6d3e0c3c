import type { z } from 'zod'

/** The first problem in words. Of a value that can have several forms, that of the form which fits best. */
export function problemOf(issue: z.core.$ZodIssue): {
  readonly path: PropertyKey[]
  readonly reason: string
} {
  const { path } = issue
  if (issue.code === 'unrecognized_keys')
    return { path: [...path, issue.keys[0]!], reason: 'there is no such key' }
  if (issue.code === 'invalid_key')
    return { path: [...path], reason: issue.issues[0]?.message ?? issue.message }
  if (issue.code === 'invalid_union') {
    const nearest = issue.errors.filter(each => each.length > 0).sort((a, b) => depth(b) - depth(a))[0]
    if (nearest && depth(nearest) > 0) {
      const inner = problemOf(nearest[0]!)
      return { path: [...path, ...inner.path], reason: inner.reason }
    }
  }
  return { path: [...path], reason: issue.message }
}

function depth(issues: readonly z.core.$ZodIssue[]): number {
  const [{ path, code }] = [issues[0]!]
  return path.length + (code === 'unrecognized_keys' ? 1 : 0)
}
